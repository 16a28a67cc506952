// SPDX-License-Identifier: MIT
#include <set>
#include <string>

#include "test/support/catch.h"
#include "test/support/raw_client.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

// The target as it is. An HTTP library may correct it.
Answer get_as_it_is(const ServerProcess& server, const std::string& target) {
  const RawClient client(server.port());
  client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answer = client.read_to_end().value_or("");
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos) return {};
  return {std::stoi(answer.substr(answer.find(' ') + 1)),
          nlohmann::json::parse(answer.substr(body + 4), nullptr, false)};
}

}  // namespace

TEST_CASE("a fresh server hands out 1, 2, 3", "[e2e][ids]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (int expected = 1; expected <= 3; ++expected) {
    const Answer answer = server.get("/api/v1/id?biz_tag=order");
    CHECK(answer.status == 200);
    CHECK(answer.body == nlohmann::json{{"code", 0}, {"msg", "success"}, {"data", expected}});
  }
  CHECK(server.id("user") == 1);
}

TEST_CASE("batch, range and strings", "[e2e][ids]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  CHECK(server.get("/api/v1/id?biz_tag=order&as=string").body["data"] == "1");
  CHECK(server.get("/api/v1/id?biz_tag=order&as=number").body["data"] == 2);
  CHECK(server.get("/api/v1/id/batch?biz_tag=order&count=3").body["data"] ==
        nlohmann::json{3, 4, 5});
  CHECK(server.get("/api/v1/id/batch?biz_tag=order&count=2&as=string").body["data"] ==
        nlohmann::json{"6", "7"});
  CHECK(server.get("/api/v1/id/range?biz_tag=order&count=500").body["data"] ==
        nlohmann::json::parse(R"([{"first":8,"last":507}])"));

  // More than one segment holds. It waits for a lease and still gives exactly this many.
  std::set<std::int64_t> ids;
  for (int i = 0; i < 5; ++i) {
    const Answer answer = server.get("/api/v1/id/batch?biz_tag=user&count=1000");
    REQUIRE(answer.status == 200);
    for (const auto& id : answer.body["data"]) ids.insert(id.get<std::int64_t>());
  }
  CHECK(ids.size() == 5000);
  std::int64_t count = 0;
  const Answer range = server.get("/api/v1/id/range?biz_tag=user&count=1000000");
  REQUIRE(range.status == 200);
  for (const auto& part : range.body["data"]) {
    count += part["last"].get<std::int64_t>() - part["first"].get<std::int64_t>() + 1;
  }
  CHECK(count == 1000000);
}

TEST_CASE("bad input gets its code and status", "[e2e][ids]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const std::string id = "/api/v1/id?";
  const std::string batch = "/api/v1/id/batch?biz_tag=order";
  const std::string range = "/api/v1/id/range?biz_tag=order";
  const std::string chars_65(65, 'x');
  struct Case {
    std::string target;
    int status;
    int code;
  };
  const Case cases[] = {
      {"/api/v1/id", 400, 1},
      {id + "biz_tag=", 400, 1},
      {id + "biz_tag=" + chars_65, 400, 1},
      {id + "biz_tag=a%00b", 400, 1},
      {id + "biz_tag=%ff", 400, 1},
      {id + "biz_tag=%zz", 400, 1},
      {id + "biz_tag=%2", 400, 1},
      {id + "biz_tag=%20order", 400, 1},
      {id + "biz_tag=order&biz_tag=order", 400, 1},
      {id + "biz_tag=order&as=float", 400, 1},
      {id + "biz_tag=nope", 404, 4},
      {id + "biz_tag=%E8%AE%A2%E5%8D%95", 404, 4},
      {batch, 400, 3},
      {batch + "&count=", 400, 3},
      {batch + "&count=0", 400, 3},
      {batch + "&count=-1", 400, 3},
      {batch + "&count=1001", 400, 3},
      {batch + "&count=ten", 400, 3},
      {batch + "&count=1.5", 400, 3},
      {batch + "&count=1%20", 400, 3},
      {batch + "&count=99999999999999999999", 400, 3},
      {range + "&count=0", 400, 3},
      {range + "&count=1000001", 400, 3},
      {"/api/v1/id/range?biz_tag=nope&count=1", 404, 4},
      {"/api/v1/id/batch?biz_tag=nope&count=1", 404, 4},
      {"/api/v1/log/level?level=loud", 400, 1},
      {"/api/v1/id/", 404, 1},
      {"/nix", 404, 1},
  };
  for (const Case& bad : cases) {
    INFO(bad.target);
    const Answer answer = get_as_it_is(server, bad.target);
    CHECK(answer.status == bad.status);
    CHECK(answer.code() == bad.code);
    CHECK(!answer.message().empty());
    CHECK(answer.body.value("data", nlohmann::json(1)).is_null());
  }
  // None of this cost an id.
  CHECK(server.id() == 1);
}

TEST_CASE("a broken row or table is an error at once and not ready; after the fix it serves",
          "[e2e][ids]") {
  struct Case {
    std::string breaks;  // makes the database unusable
    std::string says;
    std::string mends;
  };
  const auto bad =
      GENERATE(Case{"UPDATE id_segments SET step = 0", "has step 0; set it to 1 or more",
                    "UPDATE id_segments SET step = 1000"},
               Case{"UPDATE id_segments SET max_id = -1",
                    "has max_id -1 in id_segments; set it to 0 or more",
                    "UPDATE id_segments SET max_id = 0"},
               Case{"ALTER TABLE id_segments RENAME TO other", "run featherid init",
                    "ALTER TABLE other RENAME TO id_segments"});
  INFO(bad.breaks);
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--init-schema"}).exit_code == 0);
  RawSql sql("sqlite3:" + scratch.file("ids.db"));
  sql.run(bad.breaks);
  // Longer than any client here waits.
  const ServerProcess server(scratch, {"--request-timeout", "10m"});
  for (int i = 0; i < 3; ++i) {
    const Answer answer = server.get("/api/v1/id?biz_tag=order");
    CHECK(answer.status == 503);
    CHECK(answer.code() == 2);
    CHECK(answer.message().find(bad.says) != std::string::npos);
  }
  sql.run(bad.mends);
  CHECK(wait_until([&] { return server.get("/api/v1/id?biz_tag=order").status == 200; }));
}

TEST_CASE("a read-only database is not ready, and the start warns of it", "[e2e][ids]") {
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--init-schema"}).exit_code == 0);
  const std::string file = scratch.file("ids.db");
  RawSql sql("sqlite3:" + file);
  sql.run(
      "CREATE TRIGGER t BEFORE UPDATE ON id_segments BEGIN SELECT RAISE(ABORT, 'only read'); END");
  const ServerProcess server(scratch);
  CHECK(server.says("warn no ids can be leased yet: sqlite3 file " + file));
  const Answer refused = server.get("/readyz");
  CHECK(refused.status == 503);
  CHECK(refused.message().find("only read") != std::string::npos);
  sql.run("DROP TRIGGER t");
  CHECK(wait_until([&] { return server.get("/readyz").status == 200; }));
  CHECK(server.id() == 1);
}

TEST_CASE("health and readiness use up no id", "[e2e][ids]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (int i = 0; i < 20; ++i) {
    CHECK(server.get("/healthz").status == 200);
    CHECK(server.get("/readyz").status == 200);
  }
  CHECK(server.id("health") == 1);
}

}  // namespace featherid::test
