// SPDX-License-Identifier: MIT
// What scripts/bench peers concludes from ids and from answers.
#include <poll.h>

#include <string>

#include "test/bench/loss.h"
#include "test/bench/remote_clients.h"
#include "test/support/catch.h"
#include "test/support/scripted_server.h"

namespace featherid::bench {

namespace {

// The id in an answer of these bytes to the path /id.
std::int64_t id_in(const std::string& bytes) {
  const test::ScriptedServer server([bytes](const std::string&) { return bytes; });
  const std::unique_ptr<RemoteClient> client = connect_http(server.url() + "/id");
  client->ask();
  for (int wakings = 0; wakings < 100; ++wakings) {
    pollfd readable{client->socket(), POLLIN, 0};
    ::poll(&readable, 1, 10'000);
    if (const auto id = client->answer()) return *id;
  }
  return -1;
}

std::string good(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-LENGTH: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string in_chunks(const std::string& size, const std::string& body) {
  return "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n" + size + "\r\n" + body +
         "\r\n0\r\n\r\n";
}

}  // namespace

TEST_CASE("ids that came twice and ids that never came are counted", "[peers]") {
  CHECK(loss_of({}).answered == 0);
  const Loss none = loss_of({7, 5, 6});
  CHECK(none.answered == 3);
  CHECK(none.repeated == 0);
  CHECK(none.lost == 0);
  const Loss both = loss_of({1, 2, 3, 2, 2, 9});
  CHECK(both.answered == 6);
  CHECK(both.repeated == 2);
  CHECK(both.lost == 5);  // 4 to 8
}

TEST_CASE("an id is found in the answers of other services", "[peers]") {
  CHECK(id_in(good("42")) == 42);
  CHECK(id_in(good(R"({"code":0,"msg":"success","data":43})")) == 43);
  CHECK(id_in(good(R"({"data":[44],"code":200,"message":""})")) == 44);
  CHECK(id_in(good(R"({"code":200,"data":"4611686018427387904"})")) == 4611686018427387904);
  CHECK(id_in(in_chunks("2", "45")) == 45);
  CHECK(id_in(in_chunks("1D", R"({"data":[100],"code":200,"":0})")) == 100);
}

TEST_CASE("an answer without an id is a refusal", "[peers]") {
  CHECK(id_in(good("none")) == kRefused);
  CHECK(id_in("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n46") == kRefused);
  CHECK_THROWS(id_in(""));  // closes the connection
}

}  // namespace featherid::bench
