// SPDX-License-Identifier: MIT
#include "server/ops/metrics.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

TagStats tag(const std::string& name, std::int64_t held_ids, double burn) {
  TagStats stats;
  stats.tag = name;
  stats.issued_ids = 10;
  stats.held_ids = held_ids;
  stats.burn_ids_per_second = burn;
  return stats;
}

struct Fixture {
  MetricsSnapshot now;
  bool store_up = false;
  std::string text;

  explicit Fixture(std::size_t tags_max = 100) : metrics(tags_max, [this] { return now; }) {}

  // The value of a series as written, or nothing if there is none.
  std::string value(const std::string& series) {
    text = "\n" + metrics.text(store_up);
    const std::size_t at = text.find("\n" + series + " ");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + series.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  Metrics metrics;
};

}  // namespace

TEST_CASE("the survivable outage is the worst tag's held ids divided by its burn", "[metrics]") {
  Fixture f;
  CHECK(f.value("featherid_outage_survivable_min_seconds") == "+Inf");
  f.now.tags = {tag("busy", 3000, 100), tag("idle", 3000, 0)};
  CHECK(f.value(R"(featherid_outage_survivable_seconds{tag="busy"})") == "30");
  CHECK(f.value(R"(featherid_outage_survivable_seconds{tag="idle"})") == "+Inf");
  CHECK(f.value("featherid_outage_survivable_min_seconds") == "30");
  f.now.tags.push_back(tag("empty", 0, 0));
  CHECK(f.value("featherid_outage_survivable_min_seconds") == "0");
  for (const StatusCode gone : {StatusCode::kNotFound, StatusCode::kExhausted}) {
    f.now.tags[2].last_error = {gone, "an outage changes nothing"};
    CHECK(f.value("featherid_outage_survivable_min_seconds") == "30");
  }
  f.now.tags[2].last_error = {StatusCode::kUnavailable, "down"};
  CHECK(f.value("featherid_outage_survivable_min_seconds") == "0");
}

TEST_CASE("tags past the label limit are summed, and no counter falls", "[metrics]") {
  Fixture f(2);
  const std::string issued = "featherid_ids_issued_total";
  f.now.tags = {tag("b", 1, 0), tag(kOtherTags, 1, 0), tag("c", 1, 0)};
  CHECK(f.value(issued + R"x({tag="(other)"})x") == "10");
  // Other tags come in another order. A tag that has a label keeps it.
  f.now.tags = {tag("a", 1, 0), tag("c", 1, 0), tag("z", 100, 10), tag(kOtherTags, 1, 0),
                tag("b", 1, 0)};
  CHECK(f.value(issued + R"({tag="b"})") == "10");
  CHECK(f.value(issued + R"({tag="c"})") == "10");
  CHECK(f.value(issued + R"x({tag="(other)"})x") == "30");
  CHECK(f.value(issued + R"({tag="a"})").empty());
  CHECK(f.value(R"x(featherid_outage_survivable_seconds{tag="(other)"})x") == "10");
}

TEST_CASE("a stopped tag, the store and lost log lines show", "[metrics]") {
  Fixture f;
  f.now.tags = {tag("order", 1, 0)};
  CHECK(f.value(R"(featherid_tags_stopped{tag="order"})") == "0");
  CHECK(f.value("featherid_store_up") == "0");
  f.now.tags[0].last_error = {StatusCode::kDataLoss, "it went backwards"};
  f.store_up = true;
  f.now.log_lines_overrun = 3;
  f.now.log_lines_lost = 4;
  CHECK(f.value(R"(featherid_tags_stopped{tag="order"})") == "1");
  CHECK(f.value("featherid_store_up") == "1");
  CHECK(f.value(R"(featherid_log_lines_dropped_total{reason="queue_full"})") == "3");
  CHECK(f.value(R"(featherid_log_lines_dropped_total{reason="not_writable"})") == "4");
}

TEST_CASE("the tag that is nearest to its end stands for those that share its label", "[metrics]") {
  Fixture f(1);
  f.now.tags = {tag("order", 1, 0), tag("small", 1, 0), tag("large", 1, 0)};
  f.now.tags[0].max_id = 1LL << 61;
  f.now.tags[1].max_id = 750;
  f.now.tags[1].cap = 1000;
  f.now.tags[2].max_id = 1000000;
  CHECK(std::stod(f.value(R"(featherid_max_id{tag="order"})")) == 0x1p61);
  CHECK(f.value(R"(featherid_cap_used_ratio{tag="order"})") == "0.25");
  CHECK(f.value(R"x(featherid_max_id{tag="(other)"})x") == "1000000");
  CHECK(f.value(R"x(featherid_cap_used_ratio{tag="(other)"})x") == "0.75");
  f.now.tags[0].last_error = {StatusCode::kNotFound, "it was removed"};
  CHECK(f.value(R"(featherid_max_id{tag="order"})") == "0");
  CHECK(f.value(R"(featherid_cap_used_ratio{tag="order"})") == "0");
}

TEST_CASE("the end of the certificate shows under TLS", "[metrics]") {
  Fixture f;
  const std::string name = "featherid_tls_certificate_expiry_timestamp_seconds";
  CHECK(f.value(name).empty());
  f.now.certificate_end = std::chrono::seconds(2524607999);
  CHECK(f.value(name) == "2524607999");
}

TEST_CASE("histograms add up", "[metrics]") {
  Fixture f;
  f.now.lease_latency.counts[0] = 1;
  f.now.lease_latency.counts[3] = 2;
  f.now.lease_latency.counts.back() = 4;
  f.now.lease_latency.sum = std::chrono::milliseconds(1500);
  const std::string name = "featherid_lease_duration_seconds";
  CHECK(f.value(name + R"(_bucket{le="0.001"})") == "1");
  CHECK(f.value(name + R"(_bucket{le="0.002"})") == "3");
  CHECK(f.value(name + R"(_bucket{le="5"})") == "3");
  CHECK(f.value(name + R"(_bucket{le="+Inf"})") == "7");
  CHECK(f.value(name + "_count") == "7");
  CHECK(f.value(name + "_sum") == "1.5");

  RequestStats loop(2, 600);
  loop.note(0, 200, std::chrono::microseconds(10));
  loop.note(0, 503, std::chrono::microseconds(11));
  loop.note(0, 200, std::chrono::seconds(9));
  std::vector<RouteStats> sums(2);
  loop.add_to(&sums);
  loop.add_to(&sums);  // as of two loops
  f.now.http.routes = {{"/a", sums[0]}, {"", sums[1]}};
  CHECK(f.value(R"(featherid_http_requests_total{route="/a",status="200"})") == "4");
  CHECK(f.value(R"(featherid_http_requests_total{route="/a",status="503"})") == "2");
  const std::string took = "featherid_http_request_duration_seconds";
  CHECK(f.value(took + R"(_bucket{route="/a",le="1e-05"})") == "2");
  CHECK(f.value(took + R"(_bucket{route="/a",le="5"})") == "4");
  CHECK(f.value(took + R"(_count{route="/a"})") == "6");
  CHECK(f.value(took + R"x(_count{route="(other)"})x") == "0");
}

TEST_CASE("the Redis protocol shows if the server speaks it", "[metrics]") {
  Fixture f;
  CHECK(f.metrics.text(true).find("featherid_resp_") == std::string::npos);
  RequestStats loop(2, 2);
  loop.note(0, 0, std::chrono::microseconds(10));
  loop.note(1, 1, std::chrono::microseconds(10));
  std::vector<RouteStats> sums(2);
  loop.add_to(&sums);
  f.now.resp = ProtocolStats{{{"incr", sums[0]}, {"", sums[1]}}, {"OK", "ERR"}, 7, 5, 3};
  CHECK(f.value(R"(featherid_resp_commands_total{command="incr",result="OK"})") == "1");
  CHECK(f.value(R"x(featherid_resp_commands_total{command="(other)",result="ERR"})x") == "1");
  CHECK(f.value(R"(featherid_resp_command_duration_seconds_count{command="incr"})") == "1");
  CHECK(f.value("featherid_resp_connections_accepted_total") == "7");
  CHECK(f.value("featherid_resp_connections") == "5");
  CHECK(f.value("featherid_resp_parked_commands") == "3");
}

}  // namespace featherid
