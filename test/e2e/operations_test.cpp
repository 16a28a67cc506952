// SPDX-License-Identifier: MIT
// What an operator sees: metrics, logs, the API's description, the service manager's view.
#include <httplib.h>

#include <fstream>
#include <string>

#include "test/e2e/server_process.h"
#include "test/support/catch.h"
#include "test/support/wait_until.h"

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

TEST_CASE("the metrics count what was done, and promtool finds nothing wrong",
          "[e2e][operations]") {
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
  for (const char* line : {
           R"(featherid_build_info{version="0.1.0"} 1)",
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

}  // namespace featherid::test
