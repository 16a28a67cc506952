// SPDX-License-Identifier: MIT
// Tests options of tags where processes know different things: without the table id_tags or the
// right to read it, beside older processes, after a failover, and with another term.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

#define DATABASES MYSQL_SERVERS, PostgresqlServer

namespace {

constexpr std::int64_t kGuardIds = 100000;

// A process of FeatherID and how often it warned about id_tags.
struct Process {
  explicit Process(const std::string& url, Failover failover = Failover::kSkip) {
    SociStoreOptions options;
    options.call_timeout = std::chrono::seconds(20);  // nothing here is about time
    options.failover = failover;
    options.failover_guard_ids = kGuardIds;
    options.log = [this](LogLevel, std::string_view line) {
      warnings += line.find("the table id_tags cannot be used") != std::string_view::npos;
    };
    store = *open_soci_store(url, options);
  }
  std::atomic<int> warnings{0};
  std::unique_ptr<Store> store;
};

TagChange cap_change(std::int64_t cap) {
  TagChange change;
  change.cap = cap;
  return change;
}

NewTag automatic_tag() {
  NewTag tag(10);
  tag.automatic = true;
  return tag;
}

// A user who may do what a user of an older version must be able to do.
std::string older_user(const MariadbServer& server) {
  RawSql sql(server.url(), "DROP USER IF EXISTS older@'%'");
  sql.run("CREATE USER older@'%' IDENTIFIED BY 'p'");
  sql.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ids.id_segments TO older@'%'");
  sql.run("GRANT SELECT, UPDATE ON ids.id_leader TO older@'%'");
  return "mysql://older:p@127.0.0.1:" + std::to_string(server.port()) + "/ids";
}
std::string older_user(const MysqlServer& server) {
  RawSql sql(server.url(), "DROP USER IF EXISTS older@'%'");
  sql.run("CREATE USER older@'%' IDENTIFIED BY 'p'");
  sql.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ids.id_segments TO older@'%'");
  sql.run("GRANT SELECT, UPDATE ON ids.id_leader TO older@'%'");
  return "mysql://older:p@127.0.0.1:" + std::to_string(server.port()) + "/ids";
}
std::string older_user(const PostgresqlServer& server) {
  RawSql sql(server.url());
  if (sql.number("SELECT count(*) FROM pg_roles WHERE rolname = 'older'") == 0) {
    sql.run("CREATE ROLE older LOGIN PASSWORD 'p'");
  }
  sql.run("GRANT SELECT, INSERT, UPDATE, DELETE ON id_segments TO older");
  sql.run("GRANT SELECT, UPDATE ON id_leader TO older");
  return "postgresql://older:p@127.0.0.1:" + std::to_string(server.port()) + "/ids";
}

// `admin` creates the tag. `url`: of a user who may delete its row.
void check_works_without_options(Process& process, Store& admin, const std::string& url) {
  Store& store = *process.store;
  const Status first = store.lease("user", 10).status();
  INFO(first);
  CHECK(first.ok());
  CHECK(admin.create("new", 10).ok());
  CHECK(store.update("new", 20).ok());
  CHECK(store.info("new")->step == 20);
  CHECK(store.lease("new", 5)->first == 1);
  CHECK(store.give_back("new", {3, 6}).value());
  CHECK(store.rewind("new", 2, 1).value());
  CHECK(store.advance("new", 7, "ann").ok());
  CHECK(store.list()->size() == 4);
  CHECK(store.changes(-1)->version == 0);
  RawSql(url).run("DELETE FROM id_segments WHERE biz_tag = 'new'");
  const Status refused = store.update("order", cap_change(100));
  INFO(refused);
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK(says(refused, "id_tags is missing or may not be used"));
  CHECK(store.create("new", automatic_tag()).code() == StatusCode::kFailedPrecondition);
  CHECK(store.find("new").status().code() == StatusCode::kNotFound);
  CHECK(process.warnings == 1);
}

}  // namespace

TEMPLATE_TEST_CASE("without the table id_tags everything works as before, with one warning",
                   "[tags]", DATABASES) {
  const std::string url = shared<TestType>().url();
  fresh_store(url);
  RawSql sql(url, "DROP TABLE id_tags");
  Process process(url);
  check_works_without_options(process, *process.store, url);
  const Status kept = process.store->remove("order");  // nothing would remember where it was
  INFO(kept);
  CHECK(kept.code() == StatusCode::kFailedPrecondition);
  CHECK(says(kept, "featherid init"));
  REQUIRE(init_soci_schema(url).ok());
  REQUIRE(process.store->update("user", cap_change(20)).ok());
  CHECK(process.store->lease("user", {1, 100})->end == 21);
  CHECK(process.warnings == 1);
  sql.run("DROP TABLE id_tags");  // while it is used
  const Status gone = process.store->lease("order", 1).status();
  INFO(gone);
  CHECK(gone.code() == StatusCode::kUnavailable);
  CHECK(says(gone, "id_tags has disappeared"));
  CHECK(process.store->lease("order", 1).ok());
  CHECK(process.store->lease("user", {1, 100})->end == 121);
  CHECK(process.warnings == 2);
}

TEMPLATE_TEST_CASE("without the right to read id_tags everything works, with one warning", "[tags]",
                   DATABASES) {
  const auto admin = fresh_store(shared<TestType>().url());
  Process process(older_user(shared<TestType>()));
  check_works_without_options(process, *admin, shared<TestType>().url());
  // It does not know where removed tags were, and could not leave it to others.
  for (const Status& refused : {process.store->create("new", 10), process.store->remove("order")}) {
    INFO(refused);
    CHECK(refused.code() == StatusCode::kFailedPrecondition);
    CHECK(says(refused, "grant SELECT, INSERT and UPDATE"));
  }
  CHECK(admin->find("order").ok());
}

TEMPLATE_TEST_CASE("init does not make a tag again that was removed", "[tags]", DATABASES) {
  const std::string url = shared<TestType>().url();
  const auto admin = fresh_store(url);
  REQUIRE(admin->lease("user", 5).ok());
  REQUIRE(admin->remove("user").ok());
  std::vector<std::string> made;
  REQUIRE(init_soci_schema(url, {}, &made).ok());
  CHECK(made.empty());
  CHECK(admin->find("user").status().code() == StatusCode::kNotFound);
  REQUIRE(admin->create("user", 10).ok());
  CHECK(admin->lease("user", 1)->first == 6);
}

TEMPLATE_TEST_CASE("processes that ignore caps lease past them, and no id comes twice", "[tags]",
                   DATABASES) {
  const std::string url = shared<TestType>().url();
  const auto admin = fresh_store(url);
  RawSql(url).run("DROP TABLE id_tags");  // as an older version left it
  const std::string older = older_user(shared<TestType>());
  std::atomic<bool> stopping{false};
  std::atomic<int> wrong{0};
  std::atomic<std::int64_t> leased_ids{0};
  std::vector<IdRange> leased[4];
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const Process process(i % 2 == 0 ? url : older);
      while (!stopping) {
        const Result<IdRange> range = process.store->lease("order", {1, 10});
        const StatusCode code = range.status().code();
        if (range.ok()) {
          leased[i].push_back(*range);
          leased_ids += range->size();
        } else if (code != StatusCode::kUnavailable && code != StatusCode::kExhausted) {
          ++wrong;
        }
      }
    });
  }
  const auto lease_more = [&] {
    const std::int64_t before = leased_ids;
    return wait_until([&] { return leased_ids > before + 500; });
  };
  CHECK(lease_more());
  CHECK(init_soci_schema(url).ok());  // the upgrade, under load
  CHECK(lease_more());
  std::int64_t cap = 0;
  Status capped;
  // On a slow machine the tag may pass the cap before it is set. Such a cap is refused.
  CHECK(wait_until([&] {
    cap = admin->find("order")->max_id + 300;
    capped = admin->update("order", cap_change(cap));
    return capped.code() != StatusCode::kInvalidArgument;
  }));
  INFO(capped);
  CHECK(capped.ok());
  CHECK(lease_more());  // by the older processes alone, in the end
  CHECK(admin->find("order")->max_id > cap);
  CHECK(admin->lease("order", 1).status().code() == StatusCode::kExhausted);
  RawSql(url).run("DROP TABLE id_tags");  // the downgrade
  CHECK(lease_more());
  stopping = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  std::vector<IdRange> all;
  for (const std::vector<IdRange>& own : leased) all.insert(all.end(), own.begin(), own.end());
  check_disjoint(all);
}

TEMPLATE_TEST_CASE("a rewind stops the processes that know the term", "[tags]", DATABASES) {
  const std::string url = shared<TestType>().url();
  fresh_store(url);
  Process holder(url);
  Process idle(url);
  Process unguarded(url, Failover::kSynchronous);
  Process admin(url);
  const Status first = holder.store->lease("order", 100).status();
  INFO(first);
  REQUIRE(first.ok());
  REQUIRE(idle.store->lease("user", 1).ok());
  REQUIRE(unguarded.store->lease("user", 1).ok());
  const std::int64_t known = unguarded.store->changes(-1)->version;
  CHECK(admin.store->rewind("order", 99, 10).value() == false);
  CHECK(holder.store->lease("user", 1).ok());  // nothing was rewound, so nothing stops
  CHECK(idle.store->changes(known).ok());
  CHECK(admin.store->rewind("order", 100, 10).value());

  const Status stopped = holder.store->lease("user", 1).status();
  INFO(stopped);
  CHECK(stopped.code() == StatusCode::kDataLoss);
  CHECK(says(stopped, "have diverged"));
  CHECK(idle.store->changes(known).status().code() == StatusCode::kDataLoss);
  CHECK(holder.store->give_back("order", {51, 101}).value() == false);
  const Result<TagChanges> changes = unguarded.store->changes(known);
  REQUIRE(changes.ok());
  REQUIRE(changes->limits.size() == 1);
  CHECK(changes->limits[0].tag == "order");
  CHECK(changes->limits[0].max_id == 0);

  CHECK(admin.store->lease("order", 5)->first == 11);
  CHECK(admin.store->rewind("order", 15, 0).value());
  CHECK(Process(url).store->lease("order", 5)->first == 1);
  CHECK(admin.store->changes(known).ok());
}

TEMPLATE_TEST_CASE("after a failover, tags that are created automatically start past the guard",
                   "[tags]", DATABASES) {
  const std::string url = shared<TestType>().url();
  fresh_store(url);
  RawSql sql(url);
  sql.run("UPDATE id_leader SET server = '', term = 0");
  Process process(url);
  CHECK(process.store->create("first", automatic_tag()).ok());
  CHECK(process.store->find("first")->max_id == 0);
  for (int failovers = 1; failovers <= 2; ++failovers) {
    sql.run("UPDATE id_leader SET server = 'another server'");
    const std::string tag = "automatic " + std::to_string(failovers);
    CHECK(process.store->create(tag, automatic_tag()).ok());
    CHECK(process.store->find(tag)->max_id == failovers * kGuardIds);
    CHECK(process.store->find("first")->max_id == failovers * kGuardIds);  // it skipped
    CHECK(Process(url).store->create("by hand " + std::to_string(failovers), 10).ok());
  }
  CHECK(process.store->find("by hand 2")->max_id == 0);
  NewTag long_steps = automatic_tag();
  long_steps.step = kGuardIds;
  CHECK(Process(url).store->create("long steps", long_steps).ok());
  CHECK(process.store->find("long steps")->max_id == 2 * 10 * kGuardIds);
  NewTag small = automatic_tag();
  small.options.cap = kGuardIds;
  CHECK(process.store->create("small", small).code() == StatusCode::kInvalidArgument);
}
