// SPDX-License-Identifier: MIT
#include "test/system/hostile/mysql_database.h"

#include <stdexcept>

#include "featherid/soci_store.h"

namespace featherid::test {

MysqlDatabase::MysqlDatabase(InnodbServer& server) : server_(server) {
  RawSql sql(server_.url("mysql"));
  sql.run("CREATE USER leaser@'%' IDENTIFIED BY 'p'");
  sql.run("GRANT /*M! BINLOG ADMIN *//*!80014 SESSION_VARIABLES_ADMIN */ ON *.* TO leaser@'%'");
  for (const char* name : {"ids", "bare", "evil"}) {
    sql.run("GRANT ALL ON " + std::string(name) + ".* TO leaser@'%'");
  }
}

void MysqlDatabase::run(const std::string& sql) {
  if (admin_ == nullptr) admin_ = std::make_unique<RawSql>(server_.url("mysql"));
  admin_->run(sql);
}

void MysqlDatabase::prepare() {
  for (const char* name : {"ids", "bare", "evil"}) {
    run("DROP DATABASE IF EXISTS " + std::string(name));
    run("CREATE DATABASE " + std::string(name) + " CHARACTER SET utf8mb4");
  }
  if (const Status made = init_soci_schema(url()); !made.ok()) {
    throw std::runtime_error(made.to_string());
  }
  for (const std::string& tag : rows_wanted()) {
    run("INSERT INTO ids.id_segments (biz_tag) VALUES ('" + tag + "')");
  }
  for (const std::string table : {"id_segments", "id_leader"}) {
    run("CREATE TABLE evil." + table + " LIKE ids." + table);
    run("INSERT INTO evil." + table + " SELECT * FROM ids." + table);
  }
}

namespace {

const char* to_string(Level level) {
  switch (level) {
    case Level::kGlobal:
      return "global";
    case Level::kGlobalAfterLease:
      return "global, after a lease";
    case Level::kInitConnect:
    case Level::kConnect:
      return "init_connect";
    case Level::kTable:
      return "table";
    case Level::kTableAfterLease:
      break;
  }
  return "table, after a lease";
}

std::string statement_of(const Row& row, Level level) {
  switch (level) {
    case Level::kGlobal:
    case Level::kGlobalAfterLease:
      return "SET GLOBAL " + row.text;
    case Level::kInitConnect:
      return init_connect("SET SESSION " + row.text);
    case Level::kConnect:
      return init_connect(row.text);
    default:
      return row.text;
  }
}

}  // namespace

const std::vector<Level> kGlobalOnly = {Level::kGlobal, Level::kGlobalAfterLease};
const std::vector<Level> kSession = {Level::kGlobal, Level::kInitConnect};
const std::vector<Level> kSessionOnly = {Level::kInitConnect};
const std::vector<Level> kEverywhere = {Level::kGlobal, Level::kGlobalAfterLease,
                                        Level::kInitConnect};
const std::vector<Level> kConnect = {Level::kConnect};
const std::vector<Level> kTable = {Level::kTable, Level::kTableAfterLease};

const std::vector<std::string> kLazyLog = {"--innodb-flush-log-at-timeout=2700"};

std::string init_connect(const std::string& statement) {
  std::string quoted = "SET GLOBAL init_connect = '";
  for (const char c : statement) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

Cell cell_of(MysqlDatabase& database, const Row& row, Level level) {
  Cell cell;
  cell.name = row.text + ", " + to_string(level);
  cell.expectation = row.expectation;
  cell.operations = all_operations();
  cell.after_lease = level == Level::kGlobalAfterLease || level == Level::kTableAfterLease;
  cell.set = [&database, sql = statement_of(row, level)] { database.run(sql); };
  if (level == Level::kTable || level == Level::kTableAfterLease) {
    cell.undo = [&database] {
      for (const char* table : {"id_segments", "id_leader"}) {
        database.run("ALTER TABLE ids." + std::string(table) + " ENGINE = InnoDB");
      }
    };
  }
  return cell;
}

void run_all(const char* name, MysqlDatabase& database, const std::vector<Row>& rows) {
  Matrix matrix(name, database);
  for (const Row& row : rows) {
    for (const Level level : row.levels) matrix.run(cell_of(database, row, level));
  }
}

}  // namespace featherid::test
