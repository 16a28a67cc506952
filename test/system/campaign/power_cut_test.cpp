// SPDX-License-Identifier: MIT
// Cuts the power at every sync of a lease. This program replaces fsync() and fdatasync() (the
// SQLite library finds them before the C library's). Each keeps what the disk would hold then.
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "featherid/soci_store.h"
#include "test/support/catch.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"

namespace fs = std::filesystem;
using namespace featherid;
using namespace featherid::test;

namespace {

// A database file and its journal, on a disk whose power can fail.
class Disk {
 public:
  explicit Disk(const ScratchDir& scratch)
      : live_(scratch.path() / "live"),
        synced_(scratch.path() / "synced"),
        cut_(scratch.path() / "cut") {
    fs::create_directory(live_);
    fs::create_directory(synced_);
  }

  std::string url() const { return "sqlite3:" + (live_ / "ids.db").string(); }

  // `file` is about to be synced. Names in a folder count as safe at once.
  void sync(const fs::path& file) {
    if (checking_ || file.parent_path() != live_) return;
    ++syncs_;
    check(live_);
    fs::copy_file(file, synced_ / file.filename(), fs::copy_options::overwrite_existing);
    check(synced_);
  }

  // A lease up to `max_id` was answered.
  void answered(long long max_id) {
    answered_ = max_id;
    check(live_);
    check(synced_);
  }

  int syncs() const { return syncs_; }

 private:
  // The recovered database has every lease that was answered. It may hold everything that was
  // written before the cut (`files` is live_) or only what was synced.
  void check(const fs::path& files) {
    if (answered_ == 0) return;  // the schema may not exist yet
    checking_ = true;
    fs::remove_all(cut_);
    fs::copy(files, cut_);
    RawSql recovered("sqlite3:" + (cut_ / "ids.db").string());
    CHECK(recovered.text("PRAGMA integrity_check") == "ok");
    CHECK(recovered.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'") >= answered_);
    checking_ = false;
  }

  const fs::path live_;
  const fs::path synced_;
  const fs::path cut_;
  long long answered_ = 0;
  int syncs_ = 0;
  bool checking_ = false;  // the recovered database syncs, too
};

Disk* disk = nullptr;

int sync_file(int fd, long call) {
  if (disk != nullptr) disk->sync(fs::read_symlink("/proc/self/fd/" + std::to_string(fd)));
  return static_cast<int>(::syscall(call, fd));
}

}  // namespace

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's are reserved names
extern "C" __attribute__((visibility("default"))) int fsync(int fd) {
  return sync_file(fd, SYS_fsync);
}
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's are reserved names
extern "C" __attribute__((visibility("default"))) int fdatasync(int fd) {
  return sync_file(fd, SYS_fdatasync);
}

TEST_CASE("SQLite: a lease that was answered survives a power cut at any sync", "[power_cut]") {
  constexpr int kLeases = 20;
  const ScratchDir scratch;
  Disk on_disk(scratch);
  disk = &on_disk;
  SociStoreOptions options;
  options.call_timeout = std::chrono::seconds(60);  // each sync checks two databases, on any disk
  std::unique_ptr<Store> store;
  for (int i = 1; i <= kLeases; ++i) {
    // Every second lease is by a process that has just started.
    if (i % 2 == 1) store = *open_soci_store(on_disk.url(), options);
    const Result<IdRange> leased = store->lease("order", 100);
    REQUIRE(leased.ok());
    CHECK(leased->last() == 100 * i);
    on_disk.answered(leased->last());
  }
  disk = nullptr;
  // Journal, file, and the journal's end.
  CHECK(on_disk.syncs() >= 3 * kLeases);
}
