// SPDX-License-Identifier: MIT
#include "lib/segment/tag_state.h"

#include <chrono>
#include <vector>

#include "test/support/catch.h"
#include "test/unit/lib/tag_state_fixture.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::down;
using test::heard_by;
using Fixture = test::TagStateFixture;

TEST_CASE("a range comes whole and in order, across leases, or not at all", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  CHECK(f.tag->try_take(100, 100).status().code() == StatusCode::kUnavailable);
  CHECK(f.next() == 2);  // nothing was lost

  f.max_id += 1000;  // another process leases in between
  std::vector<IdRange> taken;
  f.tag->take_async(150, seconds(1), [&](const auto& ids) { taken = *ids; });
  f.refill();
  CHECK(taken == std::vector<IdRange>{{3, 101}, {1101, 1153}});
}

TEST_CASE("consecutive ids come from one range, and what lies below is given up", "[tag_state]") {
  Fixture f;
  const auto take = [&f](std::int64_t count_ids) -> IdRange {
    const auto taken = f.tag->try_take(count_ids, count_ids, Shape::kOneRange);
    return taken.ok() ? taken->front() : IdRange{};
  };
  CHECK(f.next() == 0);
  f.refill();  // 1 to 100
  CHECK(take(60) == IdRange{1, 61});
  CHECK(f.tag->snapshot().held_ids == 40);

  f.max_id += 1000;  // another process leases in between
  std::vector<IdRange> taken;
  f.tag->take_async(
      41, seconds(1), [&](const auto& ids) { taken = *ids; }, Shape::kOneRange);
  CHECK(taken.empty());
  CHECK(f.next() == 61);  // what is too little for one caller is there for the others
  f.refill();
  CHECK(taken == std::vector<IdRange>{{1101, 1142}});
  CHECK(f.next() == 1142);  // and not 62
  const std::int64_t held_ids = f.tag->snapshot().held_ids;
  CHECK(held_ids == f.max_id - 1142);
  CHECK(take(held_ids) == IdRange{1143, f.max_id + 1});
  CHECK(f.tag->snapshot().held_ids == 0);
}

TEST_CASE("leases that follow one another are one range", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  std::vector<IdRange> taken;
  f.tag->take_async(
      150, seconds(1), [&](const auto& ids) { taken = *ids; }, Shape::kOneRange);
  f.refill();
  CHECK(taken == std::vector<IdRange>{{2, 152}});
}

TEST_CASE("consecutive ids are leased although more are held in pieces", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  f.tag->take_async(150, seconds(1), [](const auto&) {});
  f.max_id += 1000;
  f.refill();  // the caller took the first piece, and more is held
  const std::int64_t held_ids = f.tag->snapshot().held_ids;
  for (bool waits : {false, true}) {
    INFO("waits " << waits);
    std::vector<IdRange> taken;
    const std::int64_t want_ids = f.tag->snapshot().held_ids + 1;
    if (waits) {
      f.tag->take_async(
          want_ids, seconds(1), [&](const auto& ids) { taken = *ids; }, Shape::kOneRange);
    } else {
      CHECK_FALSE(f.tag->try_take(want_ids, want_ids, Shape::kOneRange).ok());
    }
    f.max_id += 1000;
    REQUIRE(f.tag->begin_refill());
    CHECK(f.tag->lease_size().most_ids >= want_ids);
    f.max_id += want_ids;
    CHECK(f.answer(IdRange{f.max_id + 1 - want_ids, f.max_id + 1}, want_ids).status.ok());
    if (waits) CHECK(taken == std::vector<IdRange>{{f.max_id + 1 - want_ids, f.max_id + 1}});
  }
  CHECK(f.tag->snapshot().held_ids < held_ids);
}

TEST_CASE("a tag near its end refuses consecutive ids, and still issues single ones",
          "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  Status end;
  f.tag->take_async(500, seconds(1), heard_by([&](const Status& status) { end = status; }),
                    Shape::kOneRange);
  REQUIRE(f.tag->begin_refill());
  CHECK(f.answer(IdRange{2001, 2011}, 500).status.ok());  // all that is left
  CHECK(end.ok());
  REQUIRE(f.tag->begin_refill());
  f.answer(Status(StatusCode::kExhausted, "no ids are left"), 500);
  CHECK(end.code() == StatusCode::kExhausted);
  CHECK(f.next() == 2);
  CHECK(f.tag->try_take(10, 10, Shape::kOneRange).ok());
}

TEST_CASE("what was taken out of the cursor goes in again whole, even if chunks are smaller now",
          "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  std::int64_t last = 0;
  while (f.queue.requests() == 1 || f.tag->cursor().remaining() < 3)
    REQUIRE((last = f.next()) != 0);
  const std::int64_t end = f.tag->cursor().end();
  // An operator has made the step so small that a chunk is one id.
  REQUIRE(f.tag->begin_refill());
  REQUIRE(f.tag->accept_row({"order", f.max_id, 4}).ok());
  CHECK(f.answer(IdRange{}, 0).status.ok());
  CHECK_FALSE(f.tag->try_take(100, 100).ok());  // more than there is: this empties the cursor
  CHECK(f.tag->cursor().end() == end);
  for (std::int64_t id = last + 1; id < end; ++id) CHECK(f.tag->cursor().claim_one() == id);
}

TEST_CASE("closing returns the unused end of the newest lease", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  for (int i = 0; i < 30; ++i) CHECK(f.next() != 0);
  f.tag->close();
  CHECK(f.try_code() == StatusCode::kFailedPrecondition);
  CHECK(f.tag->take_tail() == IdRange{31, 101});
  CHECK(f.tag->take_tail().empty());
}

TEST_CASE("closing returns only the ids above everybody else's leases", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  f.max_id += 1000;
  CHECK(f.tag->try_take(150, 150).status().code() == StatusCode::kUnavailable);
  f.refill();
  f.tag->close();
  CHECK(f.tag->take_tail().first == 1101);
}

TEST_CASE("a lease that ends after the close is given back, not issued", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  REQUIRE(f.tag->accept_row({"order", 0, 100}).ok());
  f.tag->close();
  f.answer(IdRange{1, 101}, 100);
  CHECK(f.next() == 0);
  CHECK(f.tag->take_tail() == IdRange{1, 101});
}

TEST_CASE("a snapshot counts what was issued and what is held", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  for (int i = 0; i < 10; ++i) CHECK(f.next() != 0);
  const TagSnapshot snapshot = f.tag->snapshot();
  CHECK(snapshot.issued_ids == 10);
  CHECK(snapshot.held_ids == 90);
  CHECK(snapshot.leases == 1);
  CHECK(snapshot.waits == 1);
}

TEST_CASE("the burn rate in the stats falls when nobody takes ids any more", "[tag_state]") {
  Fixture f;
  f.next();
  f.refill();
  for (int i = 0; i < 50; ++i) f.next();
  f.clock->advance(seconds(1));
  const double busy = f.tag->snapshot().burn_ids_per_second;
  CHECK(busy > 0);
  CHECK(f.tag->snapshot().burn_ids_per_second == busy);  // looking changes nothing
  f.clock->advance(std::chrono::minutes(10));
  CHECK(f.tag->snapshot().burn_ids_per_second < busy / 10);
}

TEST_CASE("after an outage a tag still knows its burn", "[tag_state][fault]") {
  Fixture f;
  int flights = 0;
  const auto burn_a_second = [&](bool store_is_up) {
    for (int i = 0; i < 10; ++i) {
      static_cast<void>(f.tag->try_take(10, 10));
      if (f.queue.requests() > flights && f.queue.due() <= f.clock->now()) {
        ++flights;
        store_is_up ? f.refill() : f.fail(down());
      }
      f.clock->advance(milliseconds(100));
    }
    return f.tag->snapshot().burn_ids_per_second;
  };
  double before = 0;
  for (int i = 0; i < 120; ++i) before = burn_a_second(true);
  CHECK(before > 90);
  for (int i = 0; i < 600; ++i) burn_a_second(false);
  REQUIRE(!f.tag->try_take(10, 10).ok());  // some are left, but too few
  const std::int64_t leases = f.tag->snapshot().leases;
  for (int i = 0; i < 30; ++i) burn_a_second(true);
  CHECK(f.tag->snapshot().burn_ids_per_second > 90);
  CHECK(f.tag->snapshot().leases <= leases + 3);  // one to fill up, then one each 0.75 holds
}

}  // namespace featherid
