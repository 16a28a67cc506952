// SPDX-License-Identifier: MIT
// The operator's view: metrics, logs, the API's description, the service manager.
#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "featherid/version.h"
#include "test/support/catch.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

std::string metrics_of(const ServerProcess& server) {
  httplib::Client client("127.0.0.1", server.port());
  const auto answer = client.Get("/metrics");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->get_header_value("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  return answer->body;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("the metrics count correctly, and promtool accepts them", "[e2e][operations]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (int i = 0; i < 3; ++i) server.id("order");
  CHECK(server.get("/api/v1/id/range?biz_tag=user&count=1000").status == 200);
  CHECK(server.get("/api/v1/id").status == 400);
  CHECK(server.get("/nix").status == 404);
  const RawClient client(server.port());
  client.send("nonsense\r\n\r\n");
  REQUIRE(client.read_to_end());

  const std::string text = metrics_of(server);
  CAPTURE(text);
  CHECK(
      has_line(text, std::string("featherid_build_info{version=\"") + FEATHERID_VERSION + "\"} 1"));
  for (const char* line : {
           R"(featherid_ids_issued_total{tag="order"} 3)",
           R"(featherid_ids_issued_total{tag="user"} 1000)",
           R"(featherid_lease_failures_total{tag="order"} 0)",
           R"(featherid_store_up 1)",
           R"(featherid_http_requests_total{route="/api/v1/id",status="200"} 3)",
           R"(featherid_http_requests_total{route="/api/v1/id",status="400"} 1)",
           R"x(featherid_http_requests_total{route="(other)",status="404"} 1)x",
           R"x(featherid_http_requests_total{route="(other)",status="400"} 1)x",
           R"(featherid_http_request_duration_seconds_count{route="/api/v1/id"} 4)",
           R"(featherid_http_connections_accepted_total 8)",
           R"(featherid_http_parked_requests 0)",
           R"(featherid_log_lines_dropped_total{reason="queue_full"} 0)",
       }) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
  for (const char* series :
       {"featherid_ids_held{tag=\"order\"} ", "featherid_burn_ids_per_second{tag=\"order\"} ",
        "featherid_outage_survivable_seconds{tag=\"order\"} ",
        "featherid_outage_survivable_min_seconds ",
        "featherid_lease_duration_seconds_bucket{le=", "featherid_leases_total{tag=\"user\"} ",
        "featherid_waits_total{tag=\"order\"} ", "featherid_http_connections "}) {
    CAPTURE(series);
    CHECK(text.find(std::string("\n") + series) != std::string::npos);
  }

  const std::string file = scratch.file("metrics");
  std::ofstream(file) << text;
  run({"sh", "-c",
       "said=$(promtool check metrics <'" + file + "' 2>&1) && test -z \"$said\" || " +
           "{ echo \"$said\"; exit 1; }"});
}

namespace {

// A service manager, as a service sees it.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& name)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  ~NotifySocket() { ::close(socket_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // The next message, or empty if none comes.
  std::string next() const {
    char text[512];
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 20000) <= 0) return {};
    const ssize_t length = ::recv(socket_, text, sizeof text, 0);
    return {text, static_cast<std::size_t>(std::max<ssize_t>(0, length))};
  }

 private:
  const int socket_;
};

}  // namespace

TEST_CASE("the service manager is notified of start, reload and stop", "[e2e][operations]") {
  const ScratchDir scratch;
  const bool abstract = GENERATE(false, true);
  // Contains the scratch folder's name, so that it is unique.
  const std::string name = abstract ? "@" + scratch.file("notify") : scratch.file("notify");
  const NotifySocket manager(name);
  ServerProcess server(scratch, {}, {"NOTIFY_SOCKET=" + name});
  CHECK(manager.next() == "READY=1");
  server.process().signal(SIGHUP);
  const std::string reloading = manager.next();
  const std::string expected = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(reloading.substr(0, expected.size()) == expected);
  const std::chrono::microseconds said(std::stoll(reloading.substr(expected.size())));
  const auto ago = std::chrono::steady_clock::now().time_since_epoch() - said;
  CHECK(ago > std::chrono::seconds(0));
  CHECK(ago < std::chrono::minutes(1));
  CHECK(manager.next() == "READY=1");
  server.process().signal(SIGTERM);
  CHECK(manager.next() == "STOPPING=1");
  CHECK(server.process().wait(std::chrono::seconds(20)) == 0);
}

TEST_CASE("the server serves even if the service manager is missing", "[e2e][operations]") {
  const ScratchDir scratch;
  for (const std::string& name : {scratch.file("nobody"), std::string(200, 'x')}) {
    const ServerProcess server(scratch, {}, {"NOTIFY_SOCKET=" + name});
    CHECK(server.id() > 0);
    CHECK(server.says(name));
  }
}

namespace {

// An access line in JSON, converted to the text format.
std::string text_of_json_line(const std::string& json) {
  const auto line = nlohmann::json::parse(json);
  const std::string message = line.at("message").get<std::string>();
  if (line.contains("method")) {
    const std::string path = line.at("path").get<std::string>();
    CHECK(path.find('?') == std::string::npos);
    CHECK(message.find(line.at("method").get<std::string>() + " " + path) == 0);
  }
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.6f", line.at("seconds").get<double>());
  return message + " status=" + std::to_string(line.at("status").get<int>()) +
         " bytes=" + std::to_string(line.at("bytes").get<int>()) + " seconds=" + seconds +
         " peer=" + line.at("peer").get<std::string>() +
         " request=" + line.at("request").get<std::string>() +
         (line.contains("trace") ? " trace=" + line.at("trace").get<std::string>() : "");
}

}  // namespace

TEST_CASE("at debug every request logs a line with its number, and errors name it, too",
          "[e2e][operations]") {
  const ScratchDir scratch;
  const bool json = GENERATE(false, true);
  const ServerProcess server(scratch,
                             {"--log-level", "debug", "--log-format", json ? "json" : "text"});
  const std::string trace_id = "0af7651916cd43dd8448eb211c80319c";
  const RawClient client(server.port());
  const auto ask = [&](const std::string& target, const std::string& header = "") {
    client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n" + header + "\r\n");
    return client.read_until("}").value_or("");
  };
  // The one line of the log that holds `text`.
  const auto line_with = [&](const std::string& text) {
    std::string found;
    CHECK(wait_until([&] {
      std::istringstream lines(server.output());
      for (std::string line; std::getline(lines, line);) {
        const bool whole = !lines.eof();
        if (whole && line.find(text) != std::string::npos) found = line;
      }
      return !found.empty();
    }));
    return json ? text_of_json_line(found) : found;
  };
  const auto matches = [](const std::string& line, const std::string& pattern) {
    CAPTURE(line);
    CHECK(std::regex_search(line, std::regex(pattern)));
  };
  const std::string tail =
      R"( bytes=\d+ seconds=\d\.\d{6} peer=127\.0\.0\.1:\d+ request=[0-9a-f]{16})";

  const std::string good =
      ask("/api/v1/id?biz_tag=order", "Traceparent: 00-" + trace_id + "-b7ad6b7169203331-01\r\n");
  CHECK(good.find("X-Request-Id") == std::string::npos);
  matches(line_with("GET /api/v1/id?biz_tag=order"),
          R"(GET /api/v1/id\?biz_tag=order status=200)" + tail + " trace=" + trace_id + "$");

  ask("/api/v1/id/range?biz_tag=user&count=3",
      "X-Request-Id: mine\r\nTraceparent: 00-" + trace_id + "-0000000000000000-01\r\n");
  matches(line_with("count=3"), R"(range\?biz_tag=user&count=3 status=200)" + tail + "$");

  // Of two routes, and of what is no request.
  for (const std::string target :
       {"/api/v1/id?biz_tag=nix1", "/api/v1/id/range?biz_tag=nix2&count=1"}) {
    const std::string bad = ask(target);
    std::smatch id;
    REQUIRE(std::regex_search(bad, id, std::regex("\r\nX-Request-Id: ([0-9a-f]{16})\r\n")));
    matches(line_with(target), "status=404.* request=" + id[1].str() + "$");
  }
  const std::string rejected = ask("/\x01");
  std::smatch id;
  REQUIRE(std::regex_search(rejected, id, std::regex("\r\nX-Request-Id: ([0-9a-f]{16})\r\n")));
  matches(line_with("no request"), "status=400 .* request=" + id[1].str() + "$");
}

TEST_CASE("at info a request is a line only if it changes something", "[e2e][operations]") {
  const ScratchDir scratch;
  ServerProcess server(scratch);
  CHECK(server.id() == 1);
  CHECK(server.get("/nix").status == 404);
  CHECK(server.get("/api/v1/log/level").status == 200);
  const RawClient client(server.port());  // names another host: it may change nothing
  client.send("POST /api/v1/tag/advance?biz_tag=user&max_id=8 HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.read_until("\"code\":5"));
  CHECK(server.post("/api/v1/tag/advance?biz_tag=user&max_id=9").status == 200);
  CHECK(server.process().stop() == 0);
  const std::string log = server.output();
  CAPTURE(log);
  const std::size_t line = log.find("status=");
  CHECK(log.rfind("POST /api/v1/tag/advance?biz_tag=user status=200 ", line) != std::string::npos);
  CHECK(log.find("status=", line + 1) == std::string::npos);
}

TEST_CASE("the description is served", "[e2e][operations]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const Answer answer = server.get("/openapi.json");
  CHECK(answer.status == 200);
  CHECK(answer.body["openapi"] == "3.1.0");
}

TEST_CASE("every answer says when it was made", "[e2e][operations]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  // The time in the answer to these bytes.
  const auto date = [&server](const std::string& bytes) {
    const RawClient client(server.port());
    client.send(bytes);
    const std::string answer = client.read_to_end().value_or("");
    CAPTURE(answer);
    const std::size_t at = answer.find("\r\nDate: ");
    REQUIRE(at != std::string::npos);
    std::tm utc{};
    const char* const rest = ::strptime(answer.c_str() + at + 8, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    REQUIRE(rest != nullptr);
    CHECK(std::string(rest, 2) == "\r\n");
    return ::timegm(&utc);
  };
  const auto ask = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  };
  const std::time_t before = std::time(nullptr);
  for (const std::string& bytes :
       {ask("/api/v1/id?biz_tag=order"), ask("/healthz"), ask("/nix"), std::string("\r\n")}) {
    const std::time_t said = date(bytes);
    CHECK(said >= before - 2);
    CHECK(said <= std::time(nullptr));
  }
  CHECK(wait_until([&] { return date(ask("/healthz")) > before; }));
}

}  // namespace featherid::test
