// SPDX-License-Identifier: MIT
// A store of one's own: whatever can move a number forward durably and atomically can lend ids.
// This one keeps one tag in a file, whose lock is the atomicity and whose fsync is the durability.
#include <fcntl.h>
#include <featherid/segment_allocator.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using featherid::IdRange;
using featherid::Result;
using featherid::SegmentRow;
using featherid::Status;
using featherid::StatusCode;

constexpr std::int64_t kStep = 1000;

class FileStore final : public featherid::SegmentStore {
 public:
  FileStore(std::string path, std::string tag) : path_(std::move(path)), tag_(std::move(tag)) {}

  Result<IdRange> lease(std::string_view tag, std::int64_t count_ids) override {
    if (Status status = check(tag); !status.ok()) return status;
    if (count_ids < 1 || count_ids > featherid::kLeaseIdsMax) {
      return Status(StatusCode::kInvalidArgument, "count_ids is out of bounds");
    }
    IdRange leased;
    Status status = change([&](std::int64_t max_id) {
      if (max_id > featherid::kIdMax - count_ids) return max_id;
      leased = {max_id + 1, max_id + count_ids + 1};
      return max_id + count_ids;
    });
    if (!status.ok()) return status;
    if (leased.empty()) return Status(StatusCode::kExhausted, tag_ + " has no ids left");
    return leased;
  }

  Result<SegmentRow> find(std::string_view tag) override {
    if (Status status = check(tag); !status.ok()) return status;
    SegmentRow row{tag_, 0, kStep};
    Status status = change([&](std::int64_t max_id) { return row.max_id = max_id; });
    if (!status.ok()) return status;
    return row;
  }

  Result<std::vector<SegmentRow>> list() override {
    Result<SegmentRow> row = find(tag_);
    if (!row.ok()) return row.status();
    return std::vector<SegmentRow>{*row};
  }

  Status create(std::string_view tag, std::int64_t) override {
    if (tag == tag_) return {StatusCode::kAlreadyExists, "the file is the tag"};
    return {StatusCode::kInvalidArgument, "this store keeps one tag"};
  }
  Status set_step(std::string_view, std::int64_t) override {
    return {StatusCode::kInvalidArgument, "this store's step is fixed"};
  }

  Status advance(std::string_view tag, std::int64_t max_id) override {
    if (Status status = check(tag); !status.ok()) return status;
    return change([&](std::int64_t now) { return max_id > now ? max_id : now; });
  }

  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    if (Status status = check(tag); !status.ok()) return status;
    bool given = false;
    Status status = change([&](std::int64_t max_id) {
      given = max_id == tail.last();
      return given ? tail.first - 1 : max_id;
    });
    if (!status.ok()) return status;
    return given;
  }

 private:
  Status check(std::string_view tag) const {
    if (tag == tag_) return {};
    return {StatusCode::kNotFound, "this store keeps only the tag " + tag_};
  }

  Status failed(const char* what) const {
    return {StatusCode::kUnavailable,
            std::string(what) + " " + path_ + ": " + std::strerror(errno)};
  }

  // Replaces max_id by next(max_id) under the file's lock, and returns once that is on the disk.
  template <typename Next>
  Status change(Next next) const {
    const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return failed("cannot open");
    Status status;
    std::int64_t max_id = 0;
    if (flock(file, LOCK_EX) != 0) {
      status = failed("cannot lock");
    } else if (const auto got = pread(file, &max_id, sizeof max_id, 0);
               got != 0 && got != sizeof max_id) {
      status = failed("cannot read");
    } else {
      const std::int64_t moved = next(max_id);
      const bool durable =
          moved == max_id ||
          (pwrite(file, &moved, sizeof moved, 0) == sizeof moved && fsync(file) == 0);
      if (!durable) status = failed("cannot write");
    }
    close(file);  // and with it goes the lock
    return status;
  }

  const std::string path_;
  const std::string tag_;
};

}  // namespace

int main() {
  featherid::SegmentAllocator ids(std::make_shared<FileStore>("custom_store.ids", "invoice"));
  for (int i = 0; i < 3; ++i) {
    auto id = ids.next_id("invoice");
    if (!id.ok()) {
      std::cerr << id.status().to_string() << '\n';
      return 1;
    }
    std::cout << *id << '\n';
  }
}
