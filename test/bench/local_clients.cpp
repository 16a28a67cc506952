// SPDX-License-Identifier: MIT
#include "test/bench/local_clients.h"

#include <sqlite3.h>
#include <sys/random.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "featherid/segment_allocator.h"
#include "featherid/soci_store.h"
#include "test/bench/probes.h"

namespace featherid::bench {

namespace {

class EmbeddedClient : public LocalClient {
 public:
  EmbeddedClient(std::shared_ptr<SegmentAllocator> ids, Sequence sequence)
      : ids_(std::move(ids)), sequence_(std::move(sequence)) {}

  std::int64_t take(int count) override {
    std::int64_t last = 0;
    Sequence sequence = sequence_;
    for (; count > 0; --count) {
      const Result<std::int64_t> id = sequence.next();
      if (!id.ok()) return kRefused;
      last = *id;
      keep(last);
    }
    return last;
  }

 private:
  const std::shared_ptr<SegmentAllocator> ids_;
  Sequence sequence_;
};

class SqliteClient : public LocalClient {
 public:
  explicit SqliteClient(const std::string& file) {
    sqlite3* opened = nullptr;
    const int result = ::sqlite3_open(file.c_str(), &opened);
    database_.reset(opened);
    check(result);
    ::sqlite3_busy_timeout(opened, 120'000);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("CREATE TABLE IF NOT EXISTS ids (id INTEGER NOT NULL)");
    run("INSERT INTO ids SELECT 0 WHERE NOT EXISTS (SELECT * FROM ids)");
    begin_ = prepare("BEGIN IMMEDIATE");
    next_ = prepare("UPDATE ids SET id = id + 1 RETURNING id");
    commit_ = prepare("COMMIT");
  }

  std::int64_t take(int count) override {
    std::int64_t id = 0;
    for (; count > 0; --count) {
      step(begin_, SQLITE_DONE);
      step(next_, SQLITE_ROW);
      id = ::sqlite3_column_int64(next_.get(), 0);
      ::sqlite3_reset(next_.get());
      step(commit_, SQLITE_DONE);
    }
    return id;
  }

 private:
  using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

  void check(int result) const {
    if (result != SQLITE_OK) throw std::runtime_error(::sqlite3_errmsg(database_.get()));
  }
  void run(const char* sql) const {
    check(::sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr));
  }
  Statement prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(::sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr));
    return {statement, ::sqlite3_finalize};
  }
  // Leaves the statement at its row, if it has one.
  void step(const Statement& statement, int expected) const {
    if (::sqlite3_step(statement.get()) != expected) {
      throw std::runtime_error(::sqlite3_errmsg(database_.get()));
    }
    if (expected == SQLITE_DONE) ::sqlite3_reset(statement.get());
  }

  // The statements end before their database.
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_{nullptr, ::sqlite3_close};
  Statement begin_{nullptr, ::sqlite3_finalize};
  Statement next_{nullptr, ::sqlite3_finalize};
  Statement commit_{nullptr, ::sqlite3_finalize};
};

class UuidClient : public LocalClient {
 public:
  std::int64_t take(int count) override {
    std::uint64_t low = 0;
    for (; count > 0; --count) {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      const auto ms = static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
      const std::uint64_t random = take_random();
      const std::uint64_t high = ms << 16 | 0x7000 | (random & 0x0fff);
      low = take_random() >> 2 | std::uint64_t{1} << 63;
      keep(static_cast<std::int64_t>(high));
      keep(static_cast<std::int64_t>(low));
    }
    return static_cast<std::int64_t>(low << 2 >> 2);  // without the variant
  }

 private:
  std::uint64_t take_random() {
    if (used_ == std::size(random_)) {
      std::size_t filled = 0;
      while (filled < sizeof random_) {
        const ssize_t more =
            ::getrandom(reinterpret_cast<char*>(random_) + filled, sizeof random_ - filled, 0);
        if (more > 0) filled += static_cast<std::size_t>(more);
      }
      used_ = 0;
    }
    return random_[used_++];
  }

  std::uint64_t random_[512];
  std::size_t used_ = std::size(random_);
};

LocalFactory open_embedded(const std::string& url, const std::string& tag) {
  Result<std::unique_ptr<Store>> store = open_soci_store(url);
  if (!store.ok()) throw std::runtime_error(store.status().to_string());
  auto ids = std::make_shared<SegmentAllocator>(*std::move(store));
  const Result<Sequence> sequence = ids->sequence(tag);
  if (!sequence.ok()) throw std::runtime_error(sequence.status().to_string());
  return [ids, sequence = *sequence] { return std::make_unique<EmbeddedClient>(ids, sequence); };
}

}  // namespace

LocalFactory open_local(const std::vector<std::string>& arguments) {
  const std::string& kind = arguments.at(0);
  if (kind == "embedded") return open_embedded(arguments.at(1), arguments.at(2));
  if (kind == "sqlite") {
    return [file = arguments.at(1)] { return std::make_unique<SqliteClient>(file); };
  }
  if (kind == "uuid_v7") return [] { return std::make_unique<UuidClient>(); };
  throw std::runtime_error("no ids of the kind " + kind);
}

}  // namespace featherid::bench
