// SPDX-License-Identifier: MIT
#include "server/routes/admin.h"

#include <memory>
#include <string>

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
  const Auth auth({}, false);
  asio::thread_pool pool(1);
  Router router;
  add_admin_routes(router, auth, store, pool);
  const auto move = [&router](milliseconds timeout) {
    return test::get(router, "/api/v1/tag/advance?biz_tag=order&max_id=9000", timeout);
  };
  for (int i = 0; i < 16; ++i) {
    CHECK(move(milliseconds(1)).body.find("the store has not answered in time") !=
          std::string::npos);
  }
  const Reply refused = move(milliseconds(60000));
  CHECK(refused.status == 503);
  CHECK(refused.body.find(R"({"code":2,"msg":"too many tags are being moved; try again")") == 0);
  CHECK(std::string(refused.header.first) == "Retry-After");
  CHECK(store->finds() <= 1);

  gate.open();
  CHECK(test::wait_until([&] { return move(milliseconds(60000)).status == 404; }));
  pool.join();
}

}  // namespace featherid
