// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CONFORMANCE_STORE_FIXTURES_H_
#define FEATHERID_TEST_SYSTEM_CONFORMANCE_STORE_FIXTURES_H_

#include <chrono>
#include <memory>
#include <string>

#include "featherid/memory_store.h"
#include "featherid/tag_admin.h"
#include "test/support/mariadb_server.h"
#include "test/support/mysql_server.h"
#include "test/support/patient.h"
#include "test/support/postgresql_server.h"
#include "test/support/scratch_dir.h"
#ifdef FEATHERID_TEST_ETCD
#include "featherid/etcd_store.h"
#include "test/support/etcd_cluster.h"
#endif
#ifdef FEATHERID_TEST_SERVER
#include "featherid/http_store.h"
#include "test/support/lease_server.h"
#endif

namespace featherid::test {

// What the tests need of a store: the store, which has no rows at first, another one on the same
// rows, and a way to write rows past both, unchecked. All fixtures of the program
// share the server processes.

class MemoryFixture {
 public:
  static constexpr bool kNeedsReceipts = false;  // to give back
  Store& store() { return *store_; }
  std::shared_ptr<Store> open() { return store_; }
  void put_row(const std::string& tag, std::int64_t max_id, std::int64_t step) {
    store_->overwrite({tag, max_id, step});
  }
  // Sets max_id, and nothing else of the row.
  void set_max_id(const std::string& tag, std::int64_t max_id);
  // What the record of a tag says, past every check.
  void put_floor(const std::string& tag, const TimeFloor& floor, std::int64_t cap = kIdMax);

 private:
  const std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
};

class SociFixture {
 public:
  static constexpr bool kNeedsReceipts = false;
  // `table`: its name in SQL.
  explicit SociFixture(std::string url, std::string table = "id_segments");
  Store& store() { return *store_; }
  std::shared_ptr<Store> open();  // another one
  // A process whose clock differs from the system's.
  std::shared_ptr<Store> open_with_clock(std::chrono::milliseconds ahead);
  void put_row(const std::string& tag, std::int64_t max_id, std::int64_t step);
  void set_max_id(const std::string& tag, std::int64_t max_id);
  void put_floor(const std::string& tag, const TimeFloor& floor, std::int64_t cap = kIdMax);

 private:
  std::string url_;
  std::string table_;
  std::unique_ptr<Store> store_;
};

class Sqlite3Fixture : private ScratchDir, public SociFixture {
 public:
  Sqlite3Fixture() : SociFixture("sqlite3:" + file("ids.db")) {}
};

// The same on a table with a hostile name: unquoted, it would end the name in SQL or look like a
// parameter or a comment.
class NamedSqlite3Fixture : private ScratchDir, public SociFixture {
 public:
  NamedSqlite3Fixture();
};

template <class Server>
class ServerFixture : public SociFixture {
 public:
  ServerFixture() : SociFixture(server().url()) {}

 protected:
  // `options`: the URL's options.
  ServerFixture(const std::string& options, const std::string& table)
      : SociFixture(server().url() + options, table) {}
  static const Server& server() {
    static const Server server;
    return server;
  }
};

using MariadbFixture = ServerFixture<MariadbServer>;
using MysqlFixture = ServerFixture<MysqlServer>;
using PostgresqlFixture = ServerFixture<PostgresqlServer>;

template <class Server>
class NamedMysqlFixture : public ServerFixture<Server> {
 public:
  NamedMysqlFixture();
};

class NamedPostgresqlFixture : public PostgresqlFixture {
 public:
  NamedPostgresqlFixture();
};

#ifdef FEATHERID_TEST_ETCD
// EtcdStore, on a cluster of one member. Each fixture has a prefix of its own.
class EtcdFixture {
 public:
  static constexpr bool kNeedsReceipts = false;
  EtcdFixture();
  Store& store() { return *store_; }
  std::shared_ptr<Store> open() { return open_with_clock(std::chrono::milliseconds(0)); }
  // A process whose clock differs from the system's.
  std::shared_ptr<Store> open_with_clock(std::chrono::milliseconds ahead);
  void put_row(const std::string& tag, std::int64_t max_id, std::int64_t step);
  void set_max_id(const std::string& tag, std::int64_t max_id);
  void put_floor(const std::string& tag, const TimeFloor& floor, std::int64_t cap = kIdMax);

 private:
  const std::string prefix_;
  const std::shared_ptr<Store> store_ = open();
};
#endif

#ifdef FEATHERID_TEST_SERVER
// HttpStore, over a server on one of the others.
template <class Database>
class HttpFixture {
 public:
  static constexpr bool kNeedsReceipts = true;

  Store& store() { return *store_; }
  std::shared_ptr<Store> open() {
    return *open_http_store(server_.url(), patient_client<HttpStoreOptions>());
  }
  void put_row(const std::string& tag, std::int64_t max_id, std::int64_t step) {
    database_.put_row(tag, max_id, step);
  }
  void set_max_id(const std::string& tag, std::int64_t max_id) {
    database_.set_max_id(tag, max_id);
  }
  void put_floor(const std::string& tag, const TimeFloor& floor, std::int64_t cap = kIdMax) {
    database_.put_floor(tag, floor, cap);
  }

 private:
  Database database_;
  LeaseServer server_{database_.open()};
  std::shared_ptr<Store> store_ = open();
};
#endif

}  // namespace featherid::test

#ifdef FEATHERID_TEST_SERVER
#define HTTP_STORES                                                  \
  , featherid::test::HttpFixture<featherid::test::MemoryFixture>,    \
      featherid::test::HttpFixture<featherid::test::Sqlite3Fixture>, \
      featherid::test::HttpFixture<featherid::test::MariadbFixture>
#else
#define HTTP_STORES
#endif

#ifdef FEATHERID_TEST_ETCD
#define ETCD_STORES , featherid::test::EtcdFixture
#else
#define ETCD_STORES
#endif

// Every store, for TEMPLATE_TEST_CASE.
#define STORES                                                                  \
  featherid::test::MemoryFixture, featherid::test::Sqlite3Fixture,              \
      featherid::test::MariadbFixture, featherid::test::MysqlFixture,           \
      featherid::test::PostgresqlFixture, featherid::test::NamedSqlite3Fixture, \
      featherid::test::NamedMysqlFixture<featherid::test::MariadbServer>,       \
      featherid::test::NamedMysqlFixture<featherid::test::MysqlServer>,         \
      featherid::test::NamedPostgresqlFixture HTTP_STORES ETCD_STORES

#endif  // FEATHERID_TEST_SYSTEM_CONFORMANCE_STORE_FIXTURES_H_
