// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_CONFORMANCE_STORE_FIXTURES_H_
#define FEATHERID_TEST_CONFORMANCE_STORE_FIXTURES_H_

#include <memory>
#include <string>

#include "featherid/memory_store.h"
#include "featherid/segment_store.h"
#include "test/support/mariadb_server.h"
#include "test/support/mysql_server.h"
#include "test/support/postgresql_server.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// What the spec asks of a store under test: the store, without rows at first, and a hand that
// writes rows past it, unchecked. Server processes are shared by all fixtures of the program.

class MemoryFixture {
 public:
  SegmentStore& store() { return store_; }
  void put_row(const std::string& tag, std::int64_t max_id, std::int64_t step) {
    store_.overwrite({tag, max_id, step});
  }

 private:
  MemoryStore store_;
};

class SociFixture {
 public:
  explicit SociFixture(std::string url);
  SegmentStore& store() { return *store_; }
  void put_row(const std::string& tag, std::int64_t max_id, std::int64_t step);

 private:
  std::string url_;
  std::unique_ptr<SegmentStore> store_;
};

class Sqlite3Fixture : private ScratchDir, public SociFixture {
 public:
  Sqlite3Fixture() : SociFixture("sqlite3:" + file("ids.db")) {}
};

template <class Server>
class ServerFixture : public SociFixture {
 public:
  ServerFixture() : SociFixture(server().url()) {}

 private:
  static const Server& server() {
    static const Server server;
    return server;
  }
};

using MariadbFixture = ServerFixture<MariadbServer>;
using MysqlFixture = ServerFixture<MysqlServer>;
using PostgresqlFixture = ServerFixture<PostgresqlServer>;

}  // namespace featherid::test

#endif  // FEATHERID_TEST_CONFORMANCE_STORE_FIXTURES_H_
