// SPDX-License-Identifier: MIT
// A store of your own: anything that can move a number forward, atomically and durably, can lease
// ids. This one keeps one tag in a file. A file lock makes a lease atomic, and fsync() makes it
// durable.
#include <fcntl.h>
#include <featherid/segment_allocator.h>
#include <featherid/store_check.h>
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

  Result<IdRange> lease(std::string_view tag, featherid::LeaseSize size) override {
    if (Status status = check(tag); !status.ok()) return status;
    if (size.least_ids < 1 || size.least_ids > size.most_ids ||
        size.most_ids > featherid::kLeaseIdsMax) {
      return Status(StatusCode::kInvalidArgument, "the size of the lease is out of bounds");
    }
    IdRange leased;
    Status status = change([&](std::int64_t max_id) {
      if (max_id > featherid::kIdMax - size.most_ids) return max_id;
      leased = {max_id + 1, max_id + size.most_ids + 1};
      return leased.last();
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

  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    if (Status status = featherid::validate_tag(tag); !status.ok()) return status;
    if (tail.empty() || tail.first < 1) {
      return Status(StatusCode::kInvalidArgument, "the tail is empty");
    }
    if (tag != tag_) return false;
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
    if (Status bad = featherid::validate_tag(tag); !bad.ok()) return bad;
    return {StatusCode::kNotFound, "this store keeps only the tag " + tag_};
  }

  Status failed(const char* what) const {
    return {StatusCode::kUnavailable,
            std::string(what) + " " + path_ + ": " + std::strerror(errno)};
  }

  // Replaces max_id by next(max_id) under the file's lock, and returns once it is on disk.
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
    close(file);  // this also releases the lock
    return status;
  }

  const std::string path_;
  const std::string tag_;
};

}  // namespace

int main() {
  const auto open = [] { return std::make_shared<FileStore>("custom_store.ids", "invoice"); };
  for (const std::string& wrong : featherid::check_store(open, "invoice")) {
    std::cerr << "the store breaks its contract: " << wrong << '\n';
    return 1;
  }
  featherid::SegmentAllocator ids(open());
  for (int i = 0; i < 3; ++i) {
    auto id = ids.next_id("invoice");
    if (!id.ok()) {
      std::cerr << id.status().to_string() << '\n';
      return 1;
    }
    std::cout << *id << '\n';
  }
}
