// SPDX-License-Identifier: MIT
#include "lib/segment/series_watch.h"

#include <vector>

#include "test/support/catch.h"

namespace featherid {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr TimePoint kStart{hours(1000)};
constexpr std::int64_t kInt32 = 2147483647;

// The shares of `end` that are warned about while max_id grows to it in `steps` steps.
std::vector<int> shares(std::int64_t end, std::int64_t cap, int steps) {
  SeriesWatch watch;
  std::vector<int> percents;
  for (int i = 0; i <= steps; ++i) {
    watch.see(end / steps * i + end % steps * i / steps, kStart + seconds(i));
    while (const auto warning = watch.next_warning(cap)) {
      if (warning->end == end) percents.push_back(warning->percent);
    }
  }
  return percents;
}

}  // namespace

TEST_CASE("each share of an end is warned about once", "[series_watch]") {
  const std::vector<int> all = {50, 75, 90, 99};
  CHECK(shares(1000, 1000, 1000) == all);
  CHECK(shares(kIdMax - 1, kIdMax - 1, 1000) == all);
  for (const std::int64_t end : {kInt32, std::int64_t{1} << 53, kIdMax}) {
    CHECK(shares(end, kIdMax, 1000) == all);
  }
  CHECK(shares(1000, 1000, 1) == std::vector<int>{99});  // the largest of several
}

TEST_CASE("a cap is the only end of its tag", "[series_watch]") {
  SeriesWatch watch;
  watch.see(kInt32, kStart);
  CHECK_FALSE(watch.next_warning(std::int64_t{10} * kInt32));
  const auto warning = watch.next_warning(kInt32 + 1);
  REQUIRE(warning);
  CHECK(warning->is_cap);
  CHECK(warning->percent == 99);
  CHECK(warning->end == kInt32 + 1);
  CHECK_FALSE(watch.next_warning(kInt32 + 1));
  CHECK(watch.next_warning(kInt32 + 2));  // another cap is warned about again
}

TEST_CASE("an end that a series has passed was none, but a cap stays one", "[series_watch]") {
  SeriesWatch watch;
  watch.see(std::int64_t{2} * kInt32, kStart);
  CHECK_FALSE(watch.next_warning(kIdMax));
  const auto warning = watch.next_warning(kInt32);
  REQUIRE(warning);
  CHECK(warning->percent == 99);
  CHECK_FALSE(warning->seconds_left);
}

TEST_CASE("the rate is a mean over the last one to two hours", "[series_watch]") {
  SeriesWatch watch;
  std::int64_t max_id = 1000;
  watch.see(max_id, kStart);
  watch.see(max_id + 100, kStart + seconds(59));
  CHECK(watch.ids_per_second() == 0);  // too short
  for (int minute = 1; minute <= 180; ++minute) {
    watch.see(max_id += 600, kStart + minutes(minute));
    CHECK(watch.ids_per_second() == Approx(10));
  }
  for (int minute = 181; minute <= 300; ++minute) {
    watch.see(max_id += 6000, kStart + minutes(minute));
  }
  CHECK(watch.ids_per_second() == Approx(100).epsilon(0.1));
  watch.see(5, kStart + minutes(301));  // moved back
  CHECK(watch.max_id() == max_id);
  CHECK(watch.ids_per_second() > 90);
}

TEST_CASE("a warning says how long the ids last", "[series_watch]") {
  SeriesWatch watch;
  watch.see(0, kStart);
  watch.see(6000, kStart + minutes(10));  // 10 a second
  const auto warning = watch.next_warning(7000);
  REQUIRE(warning);
  CHECK(warning->percent == 75);
  REQUIRE(warning->seconds_left);
  CHECK(*warning->seconds_left == Approx(100));
}

}  // namespace featherid
