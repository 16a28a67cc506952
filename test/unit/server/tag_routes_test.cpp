// SPDX-License-Identifier: MIT
#include <memory>
#include <string>

#include "server/api/admin_routes.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/gate.h"
#include "test/support/route_client.h"
#include "test/support/wait_until.h"

namespace featherid {

using std::chrono::milliseconds;

TEST_CASE("of the tags that are moved while the store hangs, few wait", "[admin]") {
  const auto store = std::make_shared<test::FaultStore>();
  test::Gate gate;
  store->on_find = [&gate](std::string_view) {
    gate.wait();
    return Status(StatusCode::kNotFound, "there is no such tag");
  };
  StoreCalls calls;
  Router router([](Exchange&) { return true; });
  add_admin_routes(router, store, calls);
  const auto move = [&router](milliseconds timeout) {
    return test::ask(router, "POST", "/api/v1/tag/advance?biz_tag=order&max_id=9000", timeout);
  };
  for (int i = 0; i < 16; ++i) {
    CHECK(move(milliseconds(1)).body.find("the store has not answered in time") !=
          std::string::npos);
  }
  const Reply refused = move(milliseconds(60000));
  CHECK(refused.status == 503);
  CHECK(refused.body.find(R"({"code":2,"msg":"too many tags are being moved; try again")") == 0);
  CHECK(test::header_of(refused, "Retry-After") == "1");
  CHECK(store->finds() <= 1);

  gate.open();
  CHECK(test::wait_until([&] { return move(milliseconds(60000)).status == 404; }));
  calls.join();
}

TEST_CASE("a tag is moved by POST, and by a GET that says it is deprecated", "[admin]") {
  const auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("order", 10).ok());
  StoreCalls calls;
  Router router([](Exchange&) { return true; });
  add_admin_routes(router, store, calls);
  const auto move = [&router](const char* method, const char* max_id) {
    return test::ask(router, method,
                     std::string("/api/v1/tag/advance?biz_tag=order&max_id=") + max_id,
                     milliseconds(60000));
  };
  const Reply posted = move("POST", "9000");
  CHECK(posted.body == R"({"code":0,"msg":"success","data":9000})");
  CHECK(test::header_of(posted, "Deprecation") == "none");
  const Reply got = move("GET", "9001");
  CHECK(got.body == R"({"code":0,"msg":"success","data":9001})");
  CHECK(test::header_of(got, "Deprecation") == "@1795910400");
  CHECK(store->memory().find("order")->max_id == 9001);
  CHECK(test::header_of(move("GET", "x"), "Deprecation") == "@1795910400");
  const Reply deleted = move("DELETE", "1");
  CHECK(deleted.status == 405);
  CHECK(test::header_of(deleted, "Allow") == "POST, GET");
  calls.join();
}

}  // namespace featherid
