// SPDX-License-Identifier: MIT
// The commands of docs/migrating, on real databases, beside the statements by which the other
// generators hand out ids. Tables and statements are those of their public sources.
#include <chrono>
#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "featherid/id_range.h"
#include "test/support/mysql_server.h"
#include "test/support/postgresql_server.h"
#include "test/support/raw_sql.h"
#include "test/support/redis_server.h"
#include "test/system/e2e/command_process.h"
#include "test/system/e2e/migration_page.h"

namespace featherid::test {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// All ids of one series, whoever handed them out.
class Book {
 public:
  void add(const IdRange& range) {
    REQUIRE_FALSE(range.empty());
    for (const IdRange& old : ranges_) {
      CAPTURE(old.first, old.end, range.first, range.end);
      CHECK((range.end <= old.first || old.end <= range.first));
    }
    ranges_.push_back(range);
  }
  void add(std::int64_t id) { add(IdRange{id, id + 1}); }
  void add_lines(const std::string& ids) {
    std::istringstream lines(ids);
    for (std::int64_t id = 0; lines >> id;) add(id);
  }

 private:
  std::vector<IdRange> ranges_;
};

// The databases of FeatherID and of another generator, with the users that the pages name. They are
// new for each page, and the server is the same for all.
template <typename Server>
class Databases {
 public:
  explicit Databases(const std::string& other) : other_(other) {
    RawSql sql(server().url());
    for (const auto& [user, database] :
         {std::pair{std::string("ids"), std::string("ids")}, {user_of_other(), other}}) {
      sql.run("DROP DATABASE IF EXISTS " + database);
      sql.run("CREATE DATABASE " + database);
      sql.run("DROP USER IF EXISTS " + user + "@'127.0.0.1'");
      sql.run("CREATE USER " + user + "@'127.0.0.1' IDENTIFIED BY 'secret'");
      sql.run("GRANT ALL ON " + database + ".* TO " + user + "@'127.0.0.1'");
    }
  }

  std::string ids_url() const { return "mysql://ids:secret" + address() + "ids"; }
  std::string other_url() const {
    return "mysql://" + user_of_other() + ":secret" + address() + other_;
  }
  // A page whose `mariadb` logs in to the other database.
  MigrationPage page(const std::string& file, MigrationPage::Replacements more = {}) const {
    more.emplace_back("@db/", address());
    MigrationPage page(file, std::move(more));
    page.log_in_to_mariadb(user_of_other(), server().port(), std::is_same_v<Server, MysqlServer>);
    return page;
  }

 private:
  static Server& server() {
    static Server server;
    return server;
  }
  static std::string address() { return "@127.0.0.1:" + std::to_string(server().port()) + "/"; }
  std::string user_of_other() const { return other_ == "cosid_db" ? "cosid" : other_; }

  const std::string other_;
};

// A generator that leases ranges of a row of its own table.
struct Service {
  std::string name;
  std::string database;
  std::string tag;
  std::vector<std::string> tables;
  std::function<IdRange(RawSql&, std::int64_t step)> lease;
};

const std::vector<Service>& services() {
  static const std::vector<Service> services = {
      {"leaf",
       "leaf",
       "order",
       {"CREATE TABLE leaf_alloc (biz_tag varchar(128) NOT NULL DEFAULT '', max_id bigint(20) NOT "
        "NULL DEFAULT '1', step int(11) NOT NULL, description varchar(256) DEFAULT NULL, "
        "update_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, "
        "PRIMARY KEY (biz_tag)) ENGINE=InnoDB",
        "INSERT INTO leaf_alloc VALUES ('order', 1, 2000, 'orders', now()), "
        "('user', 70001, 500, NULL, now())"},
       [](RawSql& sql, std::int64_t step) {
         sql.run("UPDATE leaf_alloc SET max_id = max_id + " + std::to_string(step) +
                 " WHERE biz_tag = 'order'");
         const std::int64_t max_id =
             sql.number("SELECT max_id FROM leaf_alloc WHERE biz_tag = 'order'");
         return IdRange{max_id - step, max_id};
       }},
      {"tinyid",
       "tinyid",
       "order",
       {"CREATE TABLE tiny_id_info (id bigint(20) NOT NULL AUTO_INCREMENT, biz_type varchar(63) "
        "NOT NULL DEFAULT '', begin_id bigint(20) NOT NULL DEFAULT '0', max_id bigint(20) NOT NULL "
        "DEFAULT '0', step int(11) DEFAULT '0', delta int(11) NOT NULL DEFAULT '1', remainder "
        "int(11) NOT NULL DEFAULT '0', create_time timestamp NOT NULL DEFAULT '2010-01-01 "
        "00:00:00', update_time timestamp NOT NULL DEFAULT '2010-01-01 00:00:00', version "
        "bigint(20) NOT NULL DEFAULT '0', PRIMARY KEY (id), UNIQUE KEY uniq_biz_type (biz_type)) "
        "ENGINE=InnoDB AUTO_INCREMENT=1 DEFAULT CHARSET=utf8",
        "INSERT INTO tiny_id_info VALUES (1, 'order', 1, 1, 100000, 1, 0, now(), now(), 1), "
        "(2, 'test_odd', 1, 1, 100000, 2, 1, now(), now(), 3)"},
       [](RawSql& sql, std::int64_t step) {
         const std::int64_t version =
             sql.number("SELECT version FROM tiny_id_info WHERE biz_type = 'order'");
         const std::int64_t old =
             sql.number("SELECT max_id FROM tiny_id_info WHERE biz_type = 'order'");
         sql.run("UPDATE tiny_id_info SET max_id = " + std::to_string(old + step) +
                 ", update_time = now(), version = version + 1 WHERE id = 1 AND max_id = " +
                 std::to_string(old) + " AND version = " + std::to_string(version) +
                 " AND biz_type = 'order'");
         return IdRange{old + 1, old + step + 1};
       }},
      {"cosid",
       "cosid_db",
       "shop.order",
       {"CREATE TABLE cosid (name varchar(100) NOT NULL, last_max_id bigint unsigned NOT NULL "
        "DEFAULT 0, last_fetch_time bigint unsigned NOT NULL DEFAULT 0, CONSTRAINT cosid_pk "
        "PRIMARY KEY (name)) ENGINE=InnoDB",
        "INSERT INTO cosid (name, last_max_id, last_fetch_time) VALUE ('shop.order', 0, "
        "unix_timestamp()), ('shop.user', 70000, unix_timestamp())"},
       [](RawSql& sql, std::int64_t step) {
         sql.run("UPDATE cosid SET last_max_id = (last_max_id + " + std::to_string(step) +
                 "), last_fetch_time = unix_timestamp() WHERE name = 'shop.order'");
         const std::int64_t last =
             sql.number("SELECT last_max_id FROM cosid WHERE name = 'shop.order'");
         return IdRange{last - step + 1, last + 1};
       }},
  };
  return services;
}

}  // namespace

TEMPLATE_TEST_CASE("a move from Leaf, TinyID or CosId and back repeats no id", "[e2e][migrating]",
                   MYSQL_SERVERS) {
  for (const Service& service : services()) {
    CAPTURE(service.name);
    const Databases<TestType> databases(service.database);
    const ScratchDir scratch;
    const CommandProcess command(scratch, databases.ids_url());
    const MigrationPage page = databases.page(service.name + ".md");
    RawSql sql(databases.other_url());
    for (const std::string& table : service.tables) sql.run(table);

    Book book;
    for (int round = 0; round < 2; ++round) {
      book.add(service.lease(sql, 1000));
      book.add(service.lease(sql, 2000));
      page.good("Move");
      CHECK_THROWS(service.lease(sql, 1000));  // the fence
      const std::string verified = page.good("Verify");
      CAPTURE(verified);
      CHECK(has(verified, "  none\n"));
      CHECK_FALSE(has(verified, "  advance\n"));
      CHECK_FALSE(has(verified, "  create\n"));
      book.add_lines(command.good({"next", service.tag, "-n", "50"}));
      page.good("Go back");
      CHECK(command.run({"next", service.tag}).exit_code == 4);  // the fence on this side
    }
    book.add(service.lease(sql, 1000));

    page.good("One tag, while both run");
    int leases = 0;
    const auto lease = [&] { return service.lease(sql, 2000000); };
    for (; leases < 4; ++leases) {
      book.add(lease());
      book.add_lines(command.good({"next", service.tag, "-n", "5"}));
    }
    CHECK_THROWS(lease());  // the border
    CHECK(page.run("One tag, while both run").exit_code != 0);
  }
}

TEMPLATE_TEST_CASE("a move from AUTO_INCREMENT and back repeats no id", "[e2e][migrating]",
                   MYSQL_SERVERS) {
  const Databases<TestType> databases("shop");
  const ScratchDir scratch;
  const CommandProcess command(scratch, databases.ids_url());
  const MigrationPage page = databases.page("auto_increment.md");
  RawSql sql(databases.other_url());
  sql.run("CREATE TABLE orders (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, note text)");
  Book book;
  const auto insert = [&] {
    sql.run("INSERT INTO orders (note) VALUES ('x')");
    return sql.number("SELECT LAST_INSERT_ID()");
  };
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20; ++i) book.add(insert());
    sql.run("DELETE FROM orders ORDER BY id DESC LIMIT 5");  // their ids must not come again
    page.good("Move");
    CHECK_THROWS(insert());
    page.good("Verify");
    for (int i = 0; i < 3; ++i) {
      const std::int64_t id = std::stoll(command.good({"next", "order"}));
      book.add(id);
      sql.run("INSERT INTO orders VALUES (" + std::to_string(id) + ", 'y')");
    }
    book.add_lines(command.good({"next", "order", "-n", "10"}));  // whose rows were not inserted
    page.good("Go back");
    CHECK(command.run({"next", "order"}).exit_code == 4);
  }
  book.add(insert());
}

TEST_CASE("a move from PostgreSQL's sequences and back repeats no id", "[e2e][migrating]") {
  const PostgresqlServer database;
  {
    RawSql root(database.url());
    for (const char* name : {"ids", "shop"}) {
      root.run("CREATE ROLE " + std::string(name) + " LOGIN PASSWORD 'secret'");
    }
    root.run("ALTER DATABASE ids OWNER TO ids");
    root.run("CREATE DATABASE shop OWNER shop");
  }
  const std::string at = "@127.0.0.1:" + std::to_string(database.port()) + "/";
  const ScratchDir scratch;
  const CommandProcess command(scratch, "postgresql://ids:secret" + at + "ids");
  const MigrationPage page("postgresql_sequences.md", {{"@db/", at}});
  RawSql sql("postgresql://shop:secret" + at + "shop");
  sql.run("CREATE TABLE orders (id bigserial PRIMARY KEY, note text)");
  sql.run("CREATE TABLE bills (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)");
  sql.run("CREATE SEQUENCE ticket_numbers CACHE 20");

  const auto inserted = [&](const std::string& table) {
    return sql.number("INSERT INTO " + table + " (note) VALUES ('x') RETURNING id");
  };
  struct Series {
    std::string tag;
    std::function<std::int64_t()> next;
    Book book = {};
  };
  std::vector<Series> all = {
      {"order", [&] { return inserted("orders"); }},
      {"bill", [&] { return inserted("bills"); }},
      {"ticket", [&] { return sql.number("SELECT nextval('ticket_numbers')"); }},
  };
  for (int round = 0; round < 2; ++round) {
    for (Series& series : all) {
      for (int i = 0; i < 25; ++i) series.book.add(series.next());
    }
    sql.run("DELETE FROM bills WHERE id > 20");
    page.good("Move");
    for (Series& series : all) {
      CAPTURE(series.tag);
      CHECK_THROWS(series.next());
    }
    page.good("Verify");
    for (Series& series : all) {
      series.book.add_lines(command.good({"next", series.tag, "-n", "10"}));
    }
    page.good("Go back");
    for (Series& series : all) {
      CAPTURE(series.tag);
      CHECK(command.run({"next", series.tag}).exit_code == 4);
      series.book.add(series.next());
    }
  }

  Series& order = all.front();
  page.good("While both run");
  for (int i = 0; i < 5; ++i) {
    order.book.add(order.next());
    order.book.add_lines(command.good({"next", "order", "-n", "5"}));
  }
  sql.run("SELECT setval('orders_id_seq', 9999999)");
  order.book.add(order.next());
  CHECK_THROWS(order.next());  // the border
}

TEST_CASE("a move from INCR in Redis and back repeats no id", "[e2e][migrating]") {
  const Databases<MariadbServer> databases("shop");
  const RedisServer redis;
  const ScratchDir scratch;
  const CommandProcess command(scratch, databases.ids_url());
  const MigrationPage page = databases.page("redis_incr.md", {{"redis://cache:6379", redis.url()}});
  Book book;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5; ++i) book.add(std::stoll(redis.ask({"INCR", "order"})));
    const std::int64_t last = std::stoll(redis.ask({"INCRBY", "order", "100"}));
    book.add(IdRange{last - 99, last + 1});
    page.good("Move");
    CHECK(has(redis.ask({"INCR", "order"}), "ERR value is not an integer or out of range"));
    CHECK(page.run("Move").exit_code != 0);  // nothing is imported twice
    CHECK(has(page.good("Verify"), "moved-to-featherid\n"));
    book.add_lines(command.good({"next", "order", "-n", "50"}));
    page.good("Go back");
    CHECK(command.run({"next", "order"}).exit_code == 4);
  }
  book.add(std::stoll(redis.ask({"INCR", "order"})));
}

namespace {

// Twitter's layout: 41 bits of milliseconds, 10 of the machine, 12 of a count.
class Snowflake {
 public:
  std::int64_t next(std::chrono::milliseconds ahead = {}) {
    const auto now = std::chrono::system_clock::now().time_since_epoch() + ahead;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    count_ = (count_ + 1) % 4096;
    return ((ms - 1288834974657) << 22) | (7 << 12) | count_;
  }

 private:
  std::int64_t count_ = 0;
};

}  // namespace

TEST_CASE("a move from Snowflake and back repeats no id", "[e2e][migrating]") {
  for (const char* heading : {"Move: below the old ids", "Move: above the old ids"}) {
    CAPTURE(heading);
    const bool below = has(heading, "below");
    const Databases<MariadbServer> databases("shop");
    const ScratchDir scratch;
    const CommandProcess command(scratch, databases.ids_url());
    const MigrationPage page = databases.page("snowflake.md");
    RawSql sql(databases.other_url());
    sql.run("CREATE TABLE orders (id bigint NOT NULL PRIMARY KEY, note text)");
    Snowflake snowflake;
    Book book;
    const auto use = [&](std::int64_t id) {
      book.add(id);
      sql.run("INSERT INTO orders VALUES (" + std::to_string(id) + ", 'x')");
    };
    for (int i = 0; i < 10; ++i) use(snowflake.next());
    CHECK(has(page.good(heading), "must_be_0\n0\n"));
    for (int i = 0; i < 10; ++i) {
      const std::int64_t id = std::stoll(command.good({"next", "order"}));
      CHECK((id < (std::int64_t{1} << 53)) == below);
      use(id);
      if (below) use(snowflake.next());
    }
    page.good("Verify");
    if (below) continue;
    const std::string said = page.good("Go back");
    CAPTURE(said);
    REQUIRE(has(said, "wait "));
    const auto wait = std::chrono::milliseconds(std::stoll(said.substr(said.find("wait ") + 5)));
    CHECK(wait < std::chrono::minutes(2));
    for (int i = 0; i < 10; ++i) use(snowflake.next(wait));
    CHECK(command.run({"next", "order"}).exit_code == 4);
  }
}

}  // namespace featherid::test
