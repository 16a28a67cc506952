// SPDX-License-Identifier: MIT
// The options of a URL, on real servers.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/replace_file.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

const char* alter_user(const InnodbServer&) { return "ALTER USER rotated@'%' IDENTIFIED BY '"; }
const char* alter_user(const PostgresqlServer&) { return "ALTER ROLE rotated PASSWORD '"; }

void make_user(const InnodbServer& server) {
  RawSql sql(server.url(), "CREATE USER IF NOT EXISTS rotated@'%'");
  sql.run("ALTER USER rotated@'%' IDENTIFIED BY 'first'");
  sql.run("GRANT ALL ON ids.* TO rotated@'%'");
}
void make_user(const PostgresqlServer& server) {
  RawSql sql(server.url(), "DROP ROLE IF EXISTS rotated");
  sql.run("CREATE ROLE rotated LOGIN SUPERUSER PASSWORD 'first'");
}

// Ends the user's sessions, so that the next lease opens a new one.
void end_sessions(const InnodbServer& server) {
  RawSql sql(server.url());
  std::vector<long long> ids;
  long long id = 0;
  sql.for_each_row(
      "SELECT id FROM information_schema.processlist WHERE user = 'rotated'",
      [&] { ids.push_back(id); }, soci::into(id));
  for (const long long session : ids) {
    try {
      sql.run("KILL " + std::to_string(session));
    } catch (const soci::soci_error&) {  // it has already ended
    }
  }
}
void end_sessions(const PostgresqlServer& server) {
  RawSql(server.url(),
         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'");
}

std::string with_login(const std::string& url, const std::string& login) {
  return url.substr(0, url.find("//") + 2) + login + url.substr(url.rfind('@'));
}

}  // namespace

TEMPLATE_TEST_CASE("a password changes under load, and no caller sees it", "[options]",
                   MYSQL_SERVERS, PostgresqlServer) {
  const TestType& server = shared<TestType>();
  fresh_store(server.url());
  make_user(server);
  const ScratchDir scratch;
  const std::string file = scratch.file("secret");
  // With a file that holds the password, and with one that holds the whole URL.
  const bool whole_url = GENERATE(false, true);
  const auto write = [&](const std::string& password) {
    replace_file(file,
                 (whole_url ? with_login(server.url(), "rotated:" + password) : password) + "\n");
  };
  write("first");
  SociStoreOptions store_options = short_options();
  if (whole_url) store_options.database_file = file;
  const std::string url = whole_url
                              ? read_database_file(file)->front()
                              : with_login(server.url(), "rotated") + "?password-file=" + file;
  AllocatorOptions options;
  options.hold = std::chrono::seconds(2);
  options.wait_timeout = std::chrono::seconds(10);
  SegmentAllocator allocator(*open_soci_store(url, store_options), options);
  Sequence order = *allocator.sequence("order");
  std::atomic<bool> stop{false};
  std::atomic<long long> issued{0};
  std::atomic<int> failed{0};
  Status error;  // the first one
  std::thread load([&] {
    while (!stop) {
      const Result<std::int64_t> id = order.next();
      if (id.ok()) {
        ++issued;
      } else if (failed++ == 0) {
        error = id.status();
      }
      if (issued % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  const auto leases = [&] {
    return RawSql(server.url()).number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'");
  };
  for (const std::string password : {"second", "third%41", "fourth"}) {
    const std::string plain = whole_url && password == "third%41" ? "thirdA" : password;
    RawSql(server.url()).run(alter_user(server) + plain + "'");
    end_sessions(server);  // before the file has the new one
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    write(password);
    end_sessions(server);
    const long long before = leases();
    CHECK(wait_until([&] { return leases() > before; }, std::chrono::seconds(20)));
  }
  stop = true;
  load.join();
  INFO(error);
  CHECK(failed == 0);
  CHECK(issued > 0);
}

TEST_CASE("PostgreSQL: the application's name is that of the URL", "[options]") {
  const std::string url = postgresql().url();
  const std::string count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = ";
  const auto usual = fresh_store(url);
  REQUIRE(usual->lease("order", 1).ok());
  CHECK(RawSql(url).number(count + "'featherid'") >= 1);
  const auto named =
      *open_soci_store(url + "?application_name=order%20'service", patient_options());
  REQUIRE(named->lease("order", 1).ok());
  CHECK(RawSql(url).number(count + "'order ''service'") == 1);
}

TEMPLATE_TEST_CASE("connect_timeout ends an attempt to connect, not a call", "[options]",
                   MYSQL_SERVERS, PostgresqlServer) {
  const TestType& server = shared<TestType>();
  fresh_store(server.url());
  const BlackHole silent;
  const auto store = *open_soci_store(
      {with_port(server.url(), silent.port()) + "?connect_timeout=1", server.url()});
  const Stopwatch stopwatch;
  CHECK(store->lease("order", 1).ok());
  CHECK(stopwatch.elapsed().count() < 2.4);  // of 5 s; the first one would use half
  const auto alone =
      *open_soci_store(with_port(server.url(), silent.port()) + "?connect_timeout=1");
  const Stopwatch again;
  CHECK(alone->lease("order", 1).status().code() == StatusCode::kUnavailable);
  CHECK(again.elapsed().count() < 2.5);  // of 5 s
}

TEST_CASE("PostgreSQL: the URL's schema has the tables, whatever the search path", "[options]") {
  const std::string url = postgresql().url();
  RawSql sql(url, "DROP SCHEMA IF EXISTS company, evil CASCADE");
  fresh_store(url);
  const std::string named = url + "?schema=company&table=numbers";
  const Status no_schema = init_soci_schema(named, patient_options());
  INFO(no_schema);
  CHECK(no_schema.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_schema, "CREATE SCHEMA"));
  sql.run("CREATE SCHEMA company");
  const auto store = *open_soci_store(named, patient_options());
  const Status no_table = store->lease("order", 1).status();
  CHECK(no_table.code() == StatusCode::kFailedPrecondition);
  CHECK(says(no_table, "the table \"company\".\"numbers\" is missing"));
  REQUIRE(init_soci_schema(named, patient_options()).ok());
  CHECK(sql.number(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'company'") == 3);
  CHECK(*store->lease("order", 5) == IdRange{1, 6});
  CHECK(sql.number("SELECT max_id FROM public.id_segments WHERE biz_tag = 'order'") == 0);
  // Tables with the same names where a search path would look first, also temporary ones.
  sql.run("CREATE SCHEMA evil");
  sql.run("CREATE TABLE evil.numbers AS TABLE company.numbers");
  sql.run("CREATE TABLE evil.numbers_leader AS TABLE company.numbers_leader");
  sql.run("ALTER ROLE featherid SET search_path = evil, public");
  const auto later = *open_soci_store(named, patient_options());
  const Result<IdRange> range = later->lease("order", 5);
  sql.run("ALTER ROLE featherid RESET search_path");
  INFO(range.status());
  CHECK(*range == IdRange{6, 11});
  // Checks and messages use the new name.
  sql.run("ALTER TABLE company.numbers SET UNLOGGED");
  const Status unlogged = store->lease("order", 1).status();
  CHECK(says(unlogged, "the table \"company\".\"numbers\" is UNLOGGED"));
  CHECK(says(unlogged, "ALTER TABLE \"company\".\"numbers\" SET LOGGED"));
  sql.run("DROP TABLE company.numbers");
  sql.run(
      "CREATE TABLE company.numbers AS SELECT biz_tag, 1.5::real AS max_id, step FROM "
      "public.id_segments");
  CHECK(says(store->lease("order", 1).status(), "max_id is of type real"));
  sql.run("DROP TABLE company.numbers, company.numbers_leader");
  REQUIRE(init_soci_schema(named, patient_options()).ok());
  sql.run("DROP TABLE company.numbers_leader");
  CHECK(says((*open_soci_store(named, patient_options()))->lease("order", 1).status(),
             "the failover guard's table \"company\".\"numbers_leader\""));
  sql.run("DROP SCHEMA company, evil CASCADE");
}

TEMPLATE_TEST_CASE("MySQL: checks of a table use its new name", "[options]", MYSQL_SERVERS) {
  const std::string url = shared<TestType>().url();
  RawSql sql(url, "DROP TABLE IF EXISTS `my id_leader x`");
  fresh_store(url);
  const std::string named = url + "?table=my%20id_leader%20x";
  const auto store = *open_soci_store(named, patient_options());
  CHECK(says(store->lease("order", 1).status(), "the table `my id_leader x` is missing"));
  REQUIRE(init_soci_schema(named, patient_options()).ok());
  CHECK(*store->lease("order", 5) == IdRange{1, 6});
  CHECK(sql.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order'") == 0);
  sql.run("ALTER TABLE `my id_leader x` ENGINE = MyISAM");
  const auto later = *open_soci_store(named, patient_options());
  CHECK(
      says(later->lease("order", 1).status(), "the table `my id_leader x` uses the engine MyISAM"));
  sql.run("ALTER TABLE `my id_leader x` ENGINE = InnoDB");
  sql.run("UPDATE `my id_leader x` SET max_id = -1 WHERE biz_tag = 'order'");
  CHECK(says(later->lease("order", 1).status(), "has max_id -1 in `my id_leader x`"));
  sql.run("DROP TABLE `my id_leader x`");
}
