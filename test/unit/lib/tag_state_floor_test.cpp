// SPDX-License-Identifier: MIT
#include <chrono>

#include "lib/segment/tag_state.h"
#include "test/support/catch.h"
#include "test/unit/lib/tag_state_fixture.h"

namespace featherid {

using std::chrono::seconds;
using test::down;
using Fixture = test::TagStateFixture;

TEST_CASE("an idle tag with a time floor holds no ids after two holds", "[tag_state][floor]") {
  Fixture f;
  f.floor.rate = 1000;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.queue.sweep_due == f.clock->now() + seconds(60));
  CHECK(f.next() == 1);
  f.clock->advance(seconds(60));
  f.tag->sweep();  // it is in use: its ids stay until a new lease comes
  CHECK(f.next() == 2);
  CHECK(f.queue.requests() == 2);
  f.refill();
  CHECK(f.next() == 101);
  const TimePoint leased_at = f.clock->now();
  CHECK(f.queue.sweep_due <= leased_at + seconds(60));
  CHECK(f.next() == 102);
  f.tag->sweep();
  CHECK(f.queue.sweep_due == leased_at + seconds(60));
  CHECK(f.next() == 103);
  f.clock->advance(seconds(60));
  f.tag->sweep();
  f.refill();
  f.clock->advance(seconds(59));
  f.tag->sweep();
  CHECK(f.tag->holds_ids());
  f.clock->advance(seconds(1));
  f.tag->sweep();
  CHECK_FALSE(f.tag->holds_ids());
  CHECK(f.tag->snapshot().held_ids == 0);
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 301);
}

TEST_CASE("an outage keeps the ids of a tag with a time floor", "[tag_state][floor][fault]") {
  Fixture f;
  f.floor.rate = 1000;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  f.clock->advance(seconds(60));
  f.tag->sweep();
  f.fail(down());
  CHECK(f.next() == 2);
  f.clock->advance(seconds(30));
  f.tag->sweep();
  CHECK(f.next() == 3);
  CHECK(f.queue.sweep_due == f.clock->now() + seconds(30));
}

TEST_CASE("a tag without a time floor keeps its ids", "[tag_state][floor]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  CHECK(f.queue.sweep_due == TimePoint{});
  f.clock->advance(std::chrono::hours(5));
  CHECK(f.next() == 2);
}

TEST_CASE("without memory for its sweep, a lease of a tag with a time floor is lost",
          "[tag_state][floor][fault]") {
  Fixture f;
  f.floor.rate = 1000;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  SegmentRow row{"order", 0, 100};
  row.floor = f.floor;
  REQUIRE(f.tag->accept_row(row).ok());
  f.queue.full = true;
  CHECK(f.answer(IdRange{1, 101}, 100).status.code() == StatusCode::kUnavailable);
  f.queue.full = false;
  CHECK_FALSE(f.tag->holds_ids());
}

TEST_CASE("a changed tag reads its row before its next lease", "[tag_state][floor]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK_FALSE(f.tag->needs_row(100));
  f.tag->limit(0);
  CHECK(f.tag->needs_row(100));
  CHECK(f.next() == 0);
  f.floor.rate = 1000;
  f.refill();
  CHECK_FALSE(f.tag->needs_row(100));
  CHECK(f.tag->follows_clock());
  CHECK(f.queue.sweep_due != TimePoint{});
}

TEST_CASE("a lead that only warns is warned about once", "[tag_state][floor]") {
  Fixture f;
  SegmentRow row{"order", 20000, 100};
  row.floor = {1000, 0, 10, true};
  row.read_at = WallTime(seconds(5));
  const auto warning = [&] {
    CHECK(f.tag->accept_row(row).ok());
    return f.answer(IdRange{}, 0).lead_seconds;
  };
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  CHECK(warning() == 15.0);
  CHECK_FALSE(warning());
  CHECK(f.tag->snapshot().lead_seconds == 15.0);
  row.max_id = 15000;
  CHECK_FALSE(warning());
  row.max_id = 15001;
  CHECK(warning());
  row.floor.lead_only_warns = false;  // the store refuses instead
  CHECK_FALSE(warning());
}

TEST_CASE("a lease that comes to a closed tag with a time floor can be given back",
          "[tag_state][floor]") {
  Fixture f;
  f.floor.rate = 1000;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  f.clock->advance(seconds(60));
  f.tag->sweep();
  REQUIRE(f.tag->begin_refill());
  f.tag->close();
  CHECK(f.answer(IdRange{501, 601}, 100).status.ok());
  CHECK(f.tag->take_tail() == IdRange{501, 601});
}

}  // namespace featherid
