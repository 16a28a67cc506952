// SPDX-License-Identifier: MIT
// One database behind several addresses.
#include <string>
#include <thread>
#include <vector>

#include "test/integration/servers.h"
#include "test/support/forwarder.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"

using namespace featherid;
using namespace featherid::test;

namespace {

template <typename Server>
std::unique_ptr<SegmentStore> store_at(const std::vector<int>& ports) {
  std::vector<std::string> urls;
  for (const int port : ports) urls.push_back(with_port(shared<Server>().url(), port));
  return open_soci_store(urls, short_options()).value();
}

}  // namespace

TEMPLATE_TEST_CASE("several addresses: the first is used, then the next, then the first again",
                   "[addresses]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  Forwarder first(shared<TestType>().port());
  Forwarder second(shared<TestType>().port());
  const auto store = store_at<TestType>({first.port(), second.port()});
  for (int i = 0; i < 5; ++i) REQUIRE(lease_one(*store).ok());
  CHECK(second.accepted() == 0);

  first.switch_to(free_port());
  REQUIRE(lease_one(*store).ok());
  CHECK(second.accepted() == 1);
  for (int i = 0; i < 5; ++i) REQUIRE(lease_one(*store).ok());
  CHECK(second.accepted() == 1);  // one session, kept

  const int before = first.accepted();
  first.switch_to(shared<TestType>().port());
  CHECK(wait_until([&] { return store->lease("order", 1).ok() && first.accepted() > before; }));
  RawSql sql(shared<TestType>().url());
  const std::string sessions =
      "SELECT count(*) FROM information_schema.processlist "
      "WHERE user = 'featherid' AND id <> CONNECTION_ID()";
  CHECK(wait_until([&] { return sql.number(sessions) == 1; }));  // that to the second is gone
  REQUIRE(lease_one(*store).ok());
  CHECK(second.accepted() == 1);
}

TEMPLATE_TEST_CASE(
    "several addresses: those that refuse or never answer cost no more than the call's time",
    "[addresses]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  const BlackHole hole;
  const auto store = store_at<TestType>({hole.port(), free_port(), shared<TestType>().port()});
  // Each of the three gets its share, in whole seconds; on a busy machine 1 s may be too little,
  // and then the next call begins with the one that works.
  CHECK(wait_until([&] { return lease_one(*store).ok(); }));
  const Status none = lease_one(*store_at<TestType>({free_port(), hole.port()}));
  CHECK(none.code() == StatusCode::kUnavailable);
  CHECK(says(none, std::to_string(hole.port())));
  CHECK(says(none, "; then "));
}

TEMPLATE_TEST_CASE(
    "several addresses: what may have been done at one is not done again at the next",
    "[addresses]", MYSQL_SERVERS) {
  fresh_store(shared<TestType>().url());
  const Forwarder second(shared<TestType>().port());
  const auto store = store_at<TestType>({shared<TestType>().port(), second.port()});
  REQUIRE(store->lease("order", 10).ok());
  RawSql other(shared<TestType>().url());
  other.run("BEGIN");
  other.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  Result<bool> given = false;
  std::thread call([&] { given = store->give_back("order", {6, 11}); });
  RawSql sql(shared<TestType>().url());
  const auto waiting = [&] {
    return sql.number(
        "SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist "
        "WHERE info LIKE 'UPDATE id_segments%'");
  };
  REQUIRE(wait_until([&] { return waiting() != 0; }));
  sql.run("KILL " + std::to_string(waiting()));
  call.join();
  CHECK(given.status().code() == StatusCode::kUnavailable);
  CHECK(second.accepted() == 0);
  CHECK(store->lease("user", 1).ok());
  CHECK(second.accepted() == 1);
  other.run("COMMIT");
}

TEST_CASE("several addresses: only those of one database are taken", "[addresses]") {
  const auto code = [](const std::vector<std::string>& urls) {
    return open_soci_store(urls).status().code();
  };
  CHECK(code({"mysql://a/ids", "mariadb://b:3307/ids"}) == StatusCode::kOk);
  CHECK(code({}) == StatusCode::kInvalidArgument);
  CHECK(code(std::vector<std::string>(17, "mysql://a/ids")) == StatusCode::kInvalidArgument);
  CHECK(code({"mysql://a/ids", "postgresql://b/ids"}) == StatusCode::kInvalidArgument);
  CHECK(code({"mysql://a/ids", "mysql://b/other"}) == StatusCode::kInvalidArgument);
  CHECK(code({"sqlite3:a.db", "sqlite3:a.db"}) == StatusCode::kInvalidArgument);
  CHECK(code({"mysql://a/ids", "mysql://"}) == StatusCode::kInvalidArgument);
}
