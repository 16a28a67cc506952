// SPDX-License-Identifier: MIT
#include "lib/store/http_client/http_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "test/support/catch.h"
#include "test/support/gate.h"
#include "test/support/ports.h"
#include "test/support/scripted_server.h"
#include "test/support/stopwatch.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ScriptedServer;

TimePoint in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

Result<std::unique_ptr<HttpConnection>> connect(const std::string& url, Watchdog& watchdog,
                                                milliseconds time = seconds(20)) {
  return HttpConnection::open(*parse_http_address(url), "127.0.0.1", {}, watchdog, in(time));
}

}  // namespace

TEST_CASE("a connection is used again", "[http_connection]") {
  ScriptedServer server([](const std::string&) { return ScriptedServer::answer(200, 0, "7"); });
  Watchdog watchdog;
  const auto connection = *connect(server.url(), watchdog);
  for (int i = 0; i < 3; ++i) {
    CHECK(connection->usable());
    const Result<HttpAnswer> answer = connection->send({"POST", "/a?b=%E5%8F%B7"}, in(seconds(20)));
    REQUIRE(answer.ok());
    CHECK(answer->status == 200);
    CHECK(answer->body.find("\"data\":7") != std::string::npos);
  }
  CHECK(server.accepted() == 1);
  CHECK(server.requests().size() == 3);
  CHECK(server.requests()[0] == "POST /a?b=%E5%8F%B7 HTTP/1.1");  // as it was given
}

TEST_CASE("a server that ends each connection is no server", "[http_connection]") {
  for (const char* const head :
       {"HTTP/1.0 200 OK\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n"}) {
    CAPTURE(head);
    ScriptedServer server(
        [head](const std::string&) { return std::string(head) + "Content-Length: 2\r\n\r\n{}"; });
    Watchdog watchdog;
    HttpConnection::Access access;
    access.opening = "/first";
    const Status refused = HttpConnection::open(*parse_http_address(server.url()), "127.0.0.1",
                                                access, watchdog, in(seconds(20)))
                               .status();
    INFO(refused);
    CHECK(refused.code() == StatusCode::kUnavailable);
    CHECK(refused.message().find("keep connections open") != std::string::npos);
  }
}

TEST_CASE("the token is sent, and the host is that of the URL", "[http_connection]") {
  test::SharedText seen;
  ScriptedServer server([&seen](const std::string& request) {
    seen.set(request);
    return ScriptedServer::answer(200, 0, "7");
  });
  Watchdog watchdog;
  const std::string url = "http://ids.example:" + std::to_string(server.port());
  auto connection = *HttpConnection::open(*parse_http_address(url), "127.0.0.1", {"s3cret", "", {}},
                                          watchdog, in(seconds(20)));
  REQUIRE(connection->send({"GET", "/x"}, in(seconds(20))).ok());
  CHECK(seen.get().find("Authorization: Bearer s3cret\r\n") != std::string::npos);
  CHECK(seen.get().find("Host: ids.example:" + std::to_string(server.port())) != std::string::npos);
}

// cpp-httplib connects again by itself. Here nothing may be sent a second time.
TEST_CASE("a request whose connection ends is not sent again", "[http_connection]") {
  ScriptedServer server([](const std::string&) { return std::string(); });
  Watchdog watchdog;
  const auto connection = *connect(server.url(), watchdog);
  const Status lost = connection->send({"POST", "/give_back"}, in(seconds(20))).status();
  CHECK(lost.code() == StatusCode::kUnavailable);
  CHECK(lost.message().find("no answer from " + server.url()) != std::string::npos);
  CHECK_FALSE(connection->usable());
  CHECK(connection->send({"POST", "/again"}, in(seconds(20))).status().code() ==
        StatusCode::kUnavailable);
  CHECK(server.requests().size() == 1);
  CHECK(server.accepted() == 1);
}

TEST_CASE("a connection that was closed while it was idle is not usable", "[http_connection]") {
  auto server = std::make_unique<ScriptedServer>(
      [](const std::string&) { return ScriptedServer::answer(200, 0, "7"); });
  Watchdog watchdog;
  const auto connection = *connect(server->url(), watchdog);
  CHECK(connection->usable());
  server.reset();
  CHECK(test::wait_until([&] { return !connection->usable(); }));
}

TEST_CASE("bytes that nobody asked for make a connection useless", "[http_connection]") {
  const int listener = test::listen_on_free_port();
  test::Gate gate;
  std::thread server([&] {
    const int socket = ::accept(listener, nullptr, nullptr);
    std::string received;
    for (char byte = 0; received.find("\r\n\r\n") == std::string::npos; received += byte) {
      if (::recv(socket, &byte, 1, 0) <= 0) break;
    }
    const std::string answer = ScriptedServer::answer(200, 0, "7");
    ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    gate.wait();
    ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    char byte = 0;
    while (::recv(socket, &byte, 1, 0) > 0) continue;
    ::close(socket);
  });
  Watchdog watchdog;
  auto connection =
      *connect("http://127.0.0.1:" + std::to_string(test::port_of(listener)), watchdog);
  CHECK(connection->usable());
  gate.open();
  CHECK(test::wait_until([&] { return !connection->usable(); }));
  connection.reset();
  server.join();
  ::close(listener);
}

TEST_CASE("no wait is longer than the deadline", "[http_connection]") {
  Watchdog watchdog;
  const test::BlackHole silent;
  const test::UnreachablePort unreachable("127.0.0.1");
  for (const int port : {silent.port(), unreachable.port()}) {
    const test::Stopwatch watch;
    const auto opened =
        connect("http://127.0.0.1:" + std::to_string(port), watchdog, milliseconds(200));
    CHECK(opened.status().code() == StatusCode::kUnavailable);
    CHECK(watch.elapsed() < seconds(10));
  }
  // It accepts the request, and says nothing.
  std::atomic<bool> ended{false};
  ScriptedServer slow([&ended](const std::string&) {
    test::wait_until([&] { return ended.load(); });
    return std::string();
  });
  const auto connection = *connect(slow.url(), watchdog);
  const test::Stopwatch watch;
  CHECK(connection->send({"GET", "/x"}, in(milliseconds(200))).status().code() ==
        StatusCode::kUnavailable);
  CHECK(watch.elapsed() < seconds(10));
  ended = true;
}

TEST_CASE("a server that is not there is named", "[http_connection]") {
  Watchdog watchdog;
  const std::string url = "http://127.0.0.1:" + std::to_string(test::free_port());
  const Status refused = connect(url, watchdog).status();
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(refused.message().find("no answer from " + url + ": cannot connect; check ") == 0);
}

}  // namespace featherid
