// SPDX-License-Identifier: MIT
#include "server/console/samples.h"

#include <cmath>
#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

using std::chrono::seconds;

TagStats stats_of(const std::string& tag, std::int64_t issued_ids, std::int64_t held_ids = 0) {
  TagStats stats;
  stats.tag = tag;
  stats.issued_ids = issued_ids;
  stats.held_ids = held_ids;
  stats.leases = 1;
  stats.last_lease_latency = std::chrono::microseconds(2500);
  return stats;
}

}  // namespace

TEST_CASE("a sample is what was issued since the one before", "[samples]") {
  Samples samples(10);
  const Samples::TimePoint start{};
  samples.add({stats_of("order", 500, 7)}, {}, start + seconds(100));
  samples.add({stats_of("order", 700, 8)}, {}, start + seconds(110));
  const auto series = samples.of_tag("order", start + seconds(112));
  REQUIRE(series);
  REQUIRE(series->samples.size() == 2);
  CHECK(series->seconds_ago == std::vector<float>{12, 2});
  CHECK(std::isnan(series->samples[0].ids_per_second));  // nobody knows since when
  CHECK(series->samples[1].ids_per_second == 20.0F);
  CHECK(series->samples[0].held_ids == 7.0F);
  CHECK(series->samples[1].held_ids == 8.0F);
  CHECK(series->samples[1].lease_ms == 2.5F);
}

TEST_CASE("a tag without a lease has no latency", "[samples]") {
  Samples samples(10);
  TagStats tag = stats_of("order", 0);
  tag.leases = 0;
  samples.add({tag}, {}, Samples::TimePoint{});
  CHECK(std::isnan(samples.of_tag("order", Samples::TimePoint{})->samples[0].lease_ms));
}

TEST_CASE("only the last hour is kept", "[samples]") {
  Samples samples(10);
  Samples::TimePoint now{};
  for (int i = 0; i < 1000; ++i) samples.add({stats_of("order", i, i)}, {}, now += Samples::kEvery);
  const auto series = samples.of_tag("order", now);
  REQUIRE(series);
  REQUIRE(series->samples.size() == Samples::kKept);
  CHECK(series->samples.front().held_ids == 640.0F);
  CHECK(series->samples.back().held_ids == 999.0F);
  CHECK(series->seconds_ago.front() == 3590.0F);
  CHECK(series->seconds_ago.back() == 0.0F);
  CHECK(samples.of_all(now).samples.size() == Samples::kKept);
}

TEST_CASE("a tag that comes later has samples only from then on", "[samples]") {
  Samples samples(10);
  Samples::TimePoint now{};
  for (int i = 0; i < 5; ++i) samples.add({stats_of("order", 1)}, {}, now += Samples::kEvery);
  samples.add({stats_of("order", 1), stats_of("user", 1)}, {}, now += Samples::kEvery);
  CHECK(samples.of_tag("order", now)->samples.size() == 6);
  CHECK(samples.of_tag("user", now)->samples.size() == 1);
}

TEST_CASE("only some tags have samples, and one that goes away leaves its place", "[samples]") {
  Samples samples(1);
  Samples::TimePoint now{};
  samples.add({stats_of("a", 1), stats_of("b", 1)}, {}, now += Samples::kEvery);
  CHECK(samples.of_tag("a", now));
  CHECK_FALSE(samples.of_tag("b", now));
  samples.add({stats_of("b", 1)}, {}, now += Samples::kEvery);
  CHECK(samples.of_tag("a", now)->samples.empty());  // the next sample may include it
  samples.add({stats_of("b", 1)}, {}, now += Samples::kEvery);
  CHECK(samples.of_tag("b", now)->samples.size() == 1);
}

TEST_CASE("all tags together have the mean latency of their leases", "[samples]") {
  Samples samples(0);
  LeaseLatency latency;
  const Samples::TimePoint start{};
  samples.add({stats_of("a", 100, 1), stats_of("b", 100, 2)}, latency, start);
  latency.counts[3] = 4;
  latency.sum = std::chrono::milliseconds(20);
  samples.add({stats_of("a", 150, 3), stats_of("b", 200, 4)}, latency, start + seconds(10));
  const SampleSeries all = samples.of_all(start + seconds(10));
  REQUIRE(all.samples.size() == 2);
  CHECK(all.samples[1].ids_per_second == 15.0F);
  CHECK(all.samples[1].held_ids == 7.0F);
  CHECK(all.samples[1].lease_ms == 5.0F);
  CHECK(std::isnan(all.samples[0].lease_ms));  // there was no lease
}

}  // namespace featherid
