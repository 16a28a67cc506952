// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "lib/store/soci/database_url.h"
#include "lib/store/soci/soci_dialect.h"
#include "test/support/raw_sql.h"
#include "test/system/hostile/tables.h"

using namespace featherid;
using namespace featherid::test;

namespace {

constexpr char kOtherColumns[] =
    "max_id bigint NOT NULL DEFAULT 0, step int NOT NULL DEFAULT 1000, "
    "update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (biz_tag)";

// A table that FeatherID did not create, with one row.
template <typename Server>
void make_table(const std::string& key_type, const std::string& tag) {
  RawSql sql(shared<Server>().url(),
             "DROP TABLE IF EXISTS id_segments, id_tags, id_leader, company");
  sql.run("DROP VIEW IF EXISTS id_segments");
  sql.run("CREATE TABLE id_segments (biz_tag " + key_type + " NOT NULL, " + kOtherColumns + ")");
  insert_row(sql, {tag, 0, 1000});
  REQUIRE(init_soci_schema(shared<Server>().url()).ok());
}

template <typename Server>
void drop_all() {
  RawSql sql(shared<Server>().url(), "DROP VIEW IF EXISTS id_segments");
  sql.run("DROP TABLE IF EXISTS id_segments, id_tags, id_leader, company");
}

// As a user who has only the granted rights.
template <typename Server>
Status lease_as_nobody(const std::string& grant, const std::string& other = "USAGE ON *.*") {
  RawSql sql(shared<Server>().url());
  sql.run("DROP USER IF EXISTS nobody@'%'");
  sql.run("CREATE USER nobody@'%' IDENTIFIED BY 'secret'");
  for (const std::string& what : {grant, other}) sql.run("GRANT " + what + " TO nobody@'%'");
  DatabaseUrl url = *parse_database_url(shared<Server>().url());
  const std::string as_nobody =
      "mysql://nobody:secret@" + url.host + ":" + std::to_string(url.port) + "/" + url.database;
  Status status = lease_one(*Watched(as_nobody).store);
  sql.run("DROP USER nobody@'%'");
  return status;
}

}  // namespace

TEMPLATE_TEST_CASE("MySQL: id_segments as a view on another table serves", "[mysql][tables]",
                   MYSQL_SERVERS) {
  drop_all<TestType>();
  const std::string engine = GENERATE("InnoDB", "InnoDB PARTITION BY KEY (name) PARTITIONS 3");
  RawSql sql(shared<TestType>().url());
  sql.run(
      "CREATE TABLE company (name varchar(64) PRIMARY KEY, last_id bigint NOT NULL DEFAULT 0, "
      "size int NOT NULL DEFAULT 1000, note text) CHARACTER SET utf8mb4 ENGINE = " +
      engine);
  sql.run("INSERT INTO company (name) VALUES ('series')");
  sql.run(
      "CREATE VIEW id_segments AS SELECT name AS biz_tag, last_id AS max_id, size AS step "
      "FROM company");
  const Status made = init_soci_schema(shared<TestType>().url());
  INFO(made);
  REQUIRE(made.ok());
  for (const Failover failover : {Failover::kSkip, Failover::kSynchronous}) {
    sql.run("UPDATE company SET last_id = 0");
    sql.run("DELETE FROM company WHERE name = 'new'");
    check_all_operations(*Watched(shared<TestType>().url(), failover).store, "series", "new");
  }
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: a view on a table that loses commits is detected", "[mysql][tables]",
                   MYSQL_SERVERS) {
  drop_all<TestType>();
  const std::string engine = GENERATE("MyISAM", "MEMORY");
  RawSql sql(shared<TestType>().url());
  sql.run(
      "CREATE TABLE company (name varchar(64) PRIMARY KEY, last_id bigint NOT NULL DEFAULT 0, "
      "size int NOT NULL DEFAULT 1000) ENGINE = " +
      engine);
  sql.run(
      "CREATE VIEW id_segments AS SELECT name AS biz_tag, last_id AS max_id, size AS step "
      "FROM company");
  static_cast<void>(init_soci_schema(shared<TestType>().url()));
  Watched watched(shared<TestType>().url());
  const Status status = lease_one(*watched.store);
  const std::string said = status.message() + watched.warnings;
  INFO(said);
  CHECK((said.find(engine) != std::string::npos || said.find("view") != std::string::npos));
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: rows that cannot be served are named and left alone", "[mysql][tables]",
                   MYSQL_SERVERS) {
  drop_all<TestType>();
  RawSql sql(shared<TestType>().url());
  const std::string type = GENERATE("bigint unsigned", "decimal(30,0)");
  const std::string big =
      type == "bigint unsigned" ? "18446744073709551615" : "9999999999999999999999999";
  INFO(type);
  sql.run("CREATE TABLE id_segments (biz_tag varchar(64) PRIMARY KEY, max_id " + type +
          " NULL, step bigint NULL) CHARACTER SET utf8mb4");
  sql.run(
      "INSERT INTO id_segments VALUES ('no max', NULL, 1000), ('no step', 0, NULL), "
      "('too far', '" +
      big + "', 1000), ('both', NULL, NULL)");
  check_bad_rows(shared<TestType>().url(), {{"no max", "max_id", "NULL"},
                                            {"both", "max_id", "NULL"},
                                            {"no step", "step", "NULL"},
                                            {"too far", "max_id", big.substr(0, 4)}});
  drop_all<TestType>();
}

// A sum with a text is a double, and the greater of two texts has the later letter.
TEMPLATE_TEST_CASE("MySQL: a max_id that rounds is refused", "[mysql][tables]", MYSQL_SERVERS) {
  drop_all<TestType>();
  RawSql sql(shared<TestType>().url());
  sql.run("CREATE TABLE id_segments (biz_tag varchar(64) PRIMARY KEY, max_id " +
          std::string(GENERATE("double", "float", "varchar(30)", "text", "varbinary(30)")) +
          ", step int)");
  sql.run("INSERT INTO id_segments VALUES ('order', 1000000000000000000, 1000)");
  const auto store = std::move(Watched(shared<TestType>().url()).store);
  for (const Status& status :
       {lease_one(*store), store->advance("order", kIdMax), store->create("new", 10)}) {
    INFO(status);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK(says(status, "bigint"));
  }
  drop_all<TestType>();
}

// It is in no list: a view's name shows the view, and a free name shows nothing.
TEMPLATE_TEST_CASE("MySQL: a temporary table is detected, whatever it hides", "[mysql][tables]",
                   MYSQL_SERVERS) {
  drop_all<TestType>();
  RawSql sql(shared<TestType>().url());
  REQUIRE(init_soci_schema(shared<TestType>().url()).ok());
  sql.run("RENAME TABLE id_segments TO company");
  if (GENERATE(true, false)) {
    sql.run("CREATE VIEW id_segments AS SELECT biz_tag, max_id, step FROM company");
  }
  sql.run(
      "SET GLOBAL init_connect = "
      "'CREATE TEMPORARY TABLE ids.id_segments SELECT * FROM ids.company'");
  const Status status = lease_as_nobody<TestType>("ALL ON ids.*");  // administrators are exempt
  sql.run("SET GLOBAL init_connect = ''");
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "temporary"));
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: databases whose names differ in case are different", "[mysql][tables]",
                   MYSQL_SERVERS) {
  const SettingsSql& settings = dialect_of(Engine::kMysql).settings;
  const std::string text = settings.text;
  RawSql sql(shared<TestType>().url());
  sql.run("DROP DATABASE IF EXISTS IDS");
  sql.run("CREATE DATABASE IDS");
  const std::string stated = text + " = " + settings.literal(sql.text("SELECT " + text));
  CHECK(sql.number("SELECT " + stated) == 1);
  sql.run("USE IDS");  // like a proxy that exchanges sessions
  CHECK(sql.number("SELECT " + stated) == 0);
  sql.run("DROP DATABASE IDS");
}

TEMPLATE_TEST_CASE("MySQL: the engine decides if a user may not see how the table was created",
                   "[mysql][tables]", MYSQL_SERVERS) {
  make_table<TestType>("varchar(64)", "tag");
  RawSql sql(shared<TestType>().url());
  sql.run("ALTER TABLE id_segments ENGINE = MyISAM");
  const Status status =
      lease_as_nobody<TestType>("SELECT (biz_tag, max_id, step), UPDATE (max_id) ON id_segments",
                                "SELECT, UPDATE ON id_leader");
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "MyISAM"));
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: a tag is the same text in every character set", "[mysql][tables]",
                   MYSQL_SERVERS) {
  const std::string charset = GENERATE("utf8mb4", "utf8mb3", "gbk", "gb2312", "big5", "sjis",
                                       "utf16", "utf32", "ucs2", "utf8mb4 COLLATE utf8mb4_bin",
                                       "utf8mb4 COLLATE utf8mb4_unicode_ci", "gbk COLLATE gbk_bin");
  INFO(charset);
  make_table<TestType>("varchar(64) CHARACTER SET " + charset, "文件");
  check_all_operations(*Watched(shared<TestType>().url()).store, "文件", "文本");
  check_all_operations(*Watched(shared<TestType>().url()).store, "user", "plain");
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: a key of bytes holds any tag", "[mysql][tables]", MYSQL_SERVERS) {
  make_table<TestType>("varbinary(255)", "文件");
  check_all_operations(*Watched(shared<TestType>().url()).store, "文件", "文本 😀");
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: a tag that the column cannot hold does not exist", "[mysql][tables]",
                   MYSQL_SERVERS) {
  struct {
    const char* charset;
    const char* tag;
  } const cases[] = {{"utf8mb3", "😀"},   {"ucs2", "😀"},   {"gbk", "😀"},  {"gb2312", "😀"},
                     {"latin1", "文件"}, {"latin1", "ж"}, {"ascii", "é"}};
  for (const auto& [charset, tag] : cases) {
    INFO(charset);
    make_table<TestType>("varchar(64) CHARACTER SET " + std::string(charset), "other");
    // The result of a lossy conversion.
    RawSql sql(shared<TestType>().url());
    for (const char* lossy : {"?", "??", "????"}) insert_row(sql, {lossy, 0, 1000});
    check_no_such_tag(*Watched(shared<TestType>().url()).store, tag);
  }
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: a tag longer than its column does not exist", "[mysql][tables]",
                   MYSQL_SERVERS) {
  make_table<TestType>("varchar(6) CHARACTER SET utf8mb4", "order");
  check_no_such_tag(*Watched(shared<TestType>().url()).store, "order 7");
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: an error names a tag that an old table's collation equates with another",
                   "[mysql][tables]", MYSQL_SERVERS) {
  const std::string collation = GENERATE("utf8mb4_general_ci", "utf8mb4_unicode_ci");
  make_table<TestType>("varchar(64) CHARACTER SET utf8mb4 COLLATE " + collation, "order");
  Watched watched(shared<TestType>().url());
  REQUIRE(watched.store->lease("order", 10).ok());
  check_not_taken_for(*watched.store, "Order", "order");
  check_not_taken_for(*watched.store, "órder", "order");
  drop_all<TestType>();
}

TEMPLATE_TEST_CASE("MySQL: a new table distinguishes all tags", "[mysql][tables]", MYSQL_SERVERS) {
  drop_all<TestType>();
  REQUIRE(init_soci_schema(shared<TestType>().url()).ok());
  Watched watched(shared<TestType>().url());
  check_all_operations(*watched.store, "order", "Order");
  check_all_operations(*watched.store, "user", "üser");
  REQUIRE(watched.store->create("USER", 10).ok());
  CHECK(watched.store->lease("USER", 10)->first == 1);
  drop_all<TestType>();
}

TEST_CASE("MySQL: one table by two spellings, where its names ignore case, leases ids once",
          "[mysql][tables]") {
  const MariadbServer server({"--lower-case-table-names=1"});
  const std::string upper = server.url() + "?table=MyIds";
  const std::string lower = server.url() + "?table=myids";
  REQUIRE(init_soci_schema(upper).ok());
  std::vector<std::string> made;
  REQUIRE(init_soci_schema(lower, {}, &made).ok());
  CHECK(made.empty());
  RawSql sql(server.url());
  const auto first = *open_soci_store(upper);
  const auto second = *open_soci_store(lower);
  CHECK(first->lease("order", 1000).value() == IdRange{1, 1001});
  CHECK(second->lease("order", 1000).value() == IdRange{1001, 2001});
  CHECK(first->lease("order", 1000).value() == IdRange{2001, 3001});
  // They share the record of the leader too: whoever sees a failover first skips once for both.
  CHECK(sql.number("SELECT count(*) FROM myids_leader") == 1);
  sql.run("UPDATE myids_leader SET server = 'another'");
  const Result<IdRange> skipped = second->lease("order", 1000);
  CHECK(skipped.value().first > 100000000);
  CHECK(first->lease("order", 1000).value().first == skipped->end);
}
