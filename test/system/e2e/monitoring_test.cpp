// SPDX-License-Identifier: MIT
// The alert rules and the dashboard against the real server. test/package/monitoring_test lets the
// alerts fire.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <utility>

#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/system/e2e/server_process.h"
#include "test/system/e2e/tls_client.h"

namespace featherid::test {

namespace {

const std::string kFolder = FEATHERID_MONITORING_DIR;

// What the first group of `pattern` is at each of its matches.
std::set<std::string> all_of(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

// The names of the series that the server has while it serves HTTPS, and a tag with a time floor.
std::set<std::string> series_of_server() {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const ServerProcess server(
      scratch, {"--tls-cert", certificate.cert_file, "--tls-key", certificate.key_file});
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  const std::string file = scratch.file("metrics");
  const auto ask = [&](const char* method, const char* target) {
    run({"curl", "-sSk", "--fail", "--max-time", "20", "-X", method, "-o", file, url + target});
  };
  ask("POST", "/api/v1/tag?biz_tag=bill&floor_rate=1000");
  for (const char* target : {"/api/v1/id?biz_tag=bill", "/metrics"}) ask("GET", target);
  return all_of(read_file(file), "(?:^|\n)(\\w+)[{ ]");
}

}  // namespace

TEST_CASE("alerts and dashboard name only metrics that the server has", "[e2e][monitoring]") {
  const std::set<std::string> series = series_of_server();
  for (const char* file : {"alerts.yml", "int32_alerts.yml", "dashboard.json"}) {
    // `featherid_docs` is a label that the operator sets.
    const auto named = all_of(read_file(kFolder + "/" + file), "\\b(featherid_(?!docs\\b)\\w+)");
    CHECK(!named.empty());
    for (const std::string& name : named) {
      CAPTURE(file, name);
      CHECK(series.count(name) == 1);
    }
  }
}

TEST_CASE("each panel of the dashboard has its own id and place, and promtool accepts its queries",
          "[e2e][monitoring]") {
  const ScratchDir scratch;
  const std::string file = scratch.file("rules.yml");
  std::ofstream rules(file);
  rules << "groups: [{name: dashboard, rules: [\n";
  const auto dashboard = nlohmann::json::parse(read_file(kFolder + "/dashboard.json"));
  std::set<int> ids;
  std::set<std::pair<int, int>> places;
  int queries = 0;
  for (const auto& panel : dashboard.at("panels")) {
    CAPTURE(panel.at("title").get<std::string>());
    CHECK(ids.insert(panel.at("id").get<int>()).second);
    const auto at = panel.at("gridPos").get<std::map<std::string, int>>();
    CHECK(at.at("x") + at.at("w") <= 24);
    for (int x = at.at("x"); x < at.at("x") + at.at("w"); ++x) {
      for (int y = at.at("y"); y < at.at("y") + at.at("h"); ++y) {
        CHECK(places.insert({x, y}).second);
      }
    }
    if (panel.at("type") == "row") continue;
    CHECK(!panel.at("targets").empty());
    for (const auto& target : panel.at("targets")) {
      const std::string expr = std::regex_replace(target.at("expr").get<std::string>(),
                                                  std::regex("\\[\\$__\\w+\\]"), "[5m]");
      rules << "{record: 'query:" << ++queries << "', expr: " << nlohmann::json(expr) << "},\n";
    }
  }
  rules << "]}]\n" << std::flush;
  run({"promtool", "check", "rules", file});
}

}  // namespace featherid::test
