// SPDX-License-Identifier: MIT
#include "lib/store/etcd/member_clock.h"

#include <chrono>
#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime kSecond(seconds(1796017549));  // of kDate
constexpr const char* kDate = "Mon, 30 Nov 2026 05:45:49 GMT";
const TimePoint kSent = TimePoint(seconds(1000));

// What the clock says after an answer that took 20 ms, to a process whose clock is `ahead` of the
// beginning of the answer's second.
milliseconds learned(milliseconds ahead) {
  MemberClock clock;
  const TimePoint received = kSent + milliseconds(20);
  clock.learn(kDate, kSent, received, kSecond + ahead);
  return *clock.time(received) - kSecond;
}

}  // namespace

TEST_CASE("the date of an answer is read", "[member_clock]") {
  CHECK(*parse_http_date(kDate) == kSecond);
  for (const char* const text :
       {"", "Mon", "30 Nov 2026", "Mon, 30 Foo 2026 05:55:49 GMT", "1796018149"}) {
    CHECK_FALSE(parse_http_date(text));
  }
}

TEST_CASE("within its second, the process's clock decides", "[member_clock]") {
  CHECK(learned(milliseconds(0)) == milliseconds(0));
  CHECK(learned(milliseconds(345)) == milliseconds(345));
  CHECK(learned(milliseconds(1019)) == milliseconds(1019));
}

TEST_CASE("a process whose clock is wrong follows the members'", "[member_clock]") {
  CHECK(learned(-seconds(3600)) == milliseconds(0));
  CHECK(learned(seconds(3600)) == milliseconds(1020));
}

TEST_CASE("the time goes on between answers, whatever happens to the process's clock",
          "[member_clock]") {
  MemberClock clock;
  CHECK_FALSE(clock.time(kSent));
  clock.learn("nonsense", kSent, kSent, kSecond);
  CHECK_FALSE(clock.time(kSent));
  clock.learn(kDate, kSent, kSent, kSecond);
  CHECK(*clock.time(kSent + seconds(90)) == kSecond + seconds(90));
  clock.learn("nonsense", kSent, kSent, kSecond + seconds(5));
  CHECK(*clock.time(kSent) == kSecond);
}

}  // namespace featherid
