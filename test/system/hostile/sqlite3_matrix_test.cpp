// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"
#include "test/system/hostile/matrix.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// Only the processes run, so the crash is that of process 1.
class SqliteDatabase final : public HostileDatabase {
 public:
  std::string url() const override { return "sqlite3:" + scratch_.file("ids.db"); }
  std::string admin_url() const override { return url(); }
  std::string bare_url() const override { return "sqlite3:" + scratch_.file("bare.db"); }
  std::string bare_admin_url() const override { return bare_url(); }
  void prepare() override;
  void make_another_lead() override {}
  void crash() override {}
  void restart() override {}
  void undo() override {}

  void run(const std::string& sql) const {
    RawSql(url()).for_each_row(sql, [] {});
  }

  // The file's first statement, before it has a schema.
  std::string first;

 private:
  ScratchDir scratch_;
};

void SqliteDatabase::prepare() {
  for (const auto& file : std::filesystem::directory_iterator(scratch_.path())) {
    std::filesystem::remove(file);
  }
  {
    RawSql sql(url());
    if (!first.empty()) sql.for_each_row(first, [] {});
    sql.run("CREATE TABLE first (x int)");
  }
  REQUIRE(init_soci_schema(url()).ok());
  RawSql sql(url());
  for (const std::string& tag : rows_wanted()) insert_row(sql, {tag, 0, 1000});
}

std::vector<Operation> operations_without_leader() {
  std::vector<Operation> operations = all_operations();
  operations.erase(operations.begin());
  return operations;
}

}  // namespace

TEST_CASE("SQLite: settings of a file, another program and the environment", "[sqlite3]") {
  SqliteDatabase database;
  Matrix matrix("SQLite", database);
  Cell cell;
  cell.expectation = serves();
  cell.operations = operations_without_leader();
  for (const char* first :
       {"PRAGMA encoding = 'UTF-16'", "PRAGMA encoding = 'UTF-16be'", "PRAGMA auto_vacuum = FULL",
        "PRAGMA page_size = 512", "PRAGMA journal_mode = WAL", "PRAGMA user_version = 7"}) {
    database.first = first;
    cell.name = first;
    matrix.run(cell);
  }
  database.first.clear();
  for (const char* sql : {"PRAGMA journal_mode = WAL", "VACUUM", "ANALYZE", "REINDEX",
                          "CREATE TABLE more (x int)", "ALTER TABLE id_segments ADD note text"}) {
    cell.set = [&database, sql] { database.run(sql); };
    for (const bool after_lease : {false, true}) {
      cell.after_lease = after_lease;
      cell.name = std::string(sql) + (after_lease ? ", after a lease" : "");
      // A call that finds another mode fails, and the next one sets it back.
      cell.expectation = serves_or_refuses("journal_mode");
      matrix.run(cell);
    }
  }
  cell.set = nullptr;
  cell.after_lease = false;
  cell.expectation = serves();
  for (const char* variable : {"SQLITE_TMPDIR=/nonexistent", "TMPDIR=/nonexistent",
                               "SQLITE_FORCE_PROXY_LOCKING=1", "HOME=/nonexistent"}) {
    cell.environment = {variable};
    cell.name = variable;
    matrix.run(cell);
  }
}
