// SPDX-License-Identifier: MIT
#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "test/support/scratch_dir.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/lease_log.h"
#include "test/system/campaign/row_faults.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kDiskBytes = 24 << 20;

// Processes on one file. If the campaign is root, the file is on its own small disk, which can be
// filled up. Only the campaign and its children see that disk.
class SqliteEngine final : public Engine {
 public:
  SqliteEngine();

  std::vector<std::string> urls() const override { return {url()}; }
  bool is_file() const override { return true; }
  std::unique_ptr<test::RawSql> operator_sql() override {
    return std::make_unique<test::RawSql>(url(), "PRAGMA busy_timeout = 20000");
  }
  std::string begin() const override { return "BEGIN IMMEDIATE"; }
  std::vector<Fault> faults(Random& random) override;

 private:
  std::string url() const { return "sqlite3:" + scratch_.file("ids.db"); }
  Fault disk_full(std::int64_t bytes_left);
  Fault reader();

  test::ScratchDir scratch_;
  const bool own_disk_;
  std::string copy_table_;
};

SqliteEngine::SqliteEngine()
    : own_disk_(::unshare(CLONE_NEWNS) == 0 &&
                ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                ::mount("tmpfs", scratch_.path().c_str(), "tmpfs", 0,
                        ("size=" + std::to_string(kDiskBytes)).c_str()) == 0) {
  make_schema(url());
  const auto sql = operator_sql();
  make_lease_log(*sql, kSqlite3LeaseLog);
  copy_table_ = sql->text(
      "SELECT REPLACE(sql, 'id_segments', 'id_segments_saved') FROM sqlite_master "
      "WHERE type = 'table' AND name = 'id_segments'");
}

Fault SqliteEngine::disk_full(std::int64_t bytes_left) {
  const std::string filler = scratch_.file("filler");
  return {"disk full",
          {"database"},
          milliseconds(500),
          milliseconds(3000),
          [=] {
            if (!own_disk_) throw NotOnThisMachine("requires root, for its own small disk");
            std::ofstream file(filler, std::ios::binary);
            const std::string block(4096, 'x');
            for (std::int64_t bytes = 0; file && bytes < kDiskBytes; bytes += 4096) {
              file << block << std::flush;
            }
            file.close();
            const auto full = static_cast<std::int64_t>(std::filesystem::file_size(filler));
            std::filesystem::resize_file(
                filler, static_cast<std::uintmax_t>(std::max<std::int64_t>(0, full - bytes_left)));
          },
          [=] { std::filesystem::remove(filler); }};
}

Fault SqliteEngine::reader() {
  auto reader = std::make_shared<std::unique_ptr<test::RawSql>>();
  return {"reader keeps commits out",
          {"database"},
          milliseconds(500),
          milliseconds(8000),  // long enough for several calls to time out
          [=] {
            *reader = operator_sql();
            (*reader)->run("BEGIN");
            (*reader)->number("SELECT COUNT(*) FROM id_segments");
          },
          [=] { reader->reset(); }};
}

std::vector<Fault> SqliteEngine::faults(Random& random) {
  return {disk_full(4096 * random.pick(0, 3)), reader(),
          table_dropped(*this, kSqlite3LeaseLog, copy_table_)};
}

}  // namespace

std::unique_ptr<Engine> make_sqlite_engine() { return std::make_unique<SqliteEngine>(); }

}  // namespace featherid::campaign
