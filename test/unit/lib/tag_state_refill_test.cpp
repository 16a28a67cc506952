// SPDX-License-Identifier: MIT
#include <chrono>

#include "lib/segment/tag_state.h"
#include "test/support/catch.h"
#include "test/unit/lib/tag_state_fixture.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::down;
using test::heard_by;
using Fixture = test::TagStateFixture;

TEST_CASE("a tag asks for its first lease when it is first used", "[tag_state]") {
  Fixture f;
  CHECK(f.queue.requests() == 0);
  CHECK(f.try_code() == StatusCode::kUnavailable);
  CHECK(f.queue.requests() == 1);
  CHECK(f.try_code() == StatusCode::kUnavailable);
  CHECK(f.queue.requests() == 1);  // single flight
  f.refill();
  for (std::int64_t id = 1; id <= 50; ++id) CHECK(f.next() == id);
}

TEST_CASE("a tag asks for more before it has run out", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  const int requests = f.queue.requests();
  for (int i = 0; i < 75; ++i) CHECK(f.next() != 0);
  CHECK(f.queue.requests() == requests + 1);
  f.refill();
  for (std::int64_t id = 76; id <= 150; ++id) CHECK(f.next() == id);
}

TEST_CASE("a failed prefetch leaves the current segment usable", "[tag_state][fault]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  while (f.queue.requests() == 1) CHECK(f.next() != 0);
  f.fail(down());
  std::int64_t last = 0;
  while (const std::int64_t id = f.next()) last = id;
  CHECK(last == 100);
  f.clock->advance(seconds(1));
  f.refill();
  CHECK(f.next() == 101);
}

TEST_CASE("failures are retried after a growing pause", "[tag_state][fault]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK_FALSE(f.tag->try_take(1000, 1000).ok());
  for (int i = 0; i < 10; ++i) {
    f.fail(down());
    const Duration pause = f.queue.due() - f.clock->now();
    CHECK(pause >= milliseconds(10));
    CHECK(pause <= seconds(1));
    if (i == 9) CHECK(pause >= milliseconds(500));
    f.clock->advance(pause);
  }
}

TEST_CASE("once the store has failed for a whole wait_timeout, errors come at once",
          "[tag_state][fault]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.fail(down());
  Status heard;
  int calls = 0;
  f.tag->take_async(1, seconds(60),
                    heard_by([&](const Status& status) { heard = status, ++calls; }));
  CHECK(calls == 0);
  f.clock->advance(seconds(2));
  f.fail(down());
  CHECK(calls == 1);
  CHECK(heard.message() == "the store is down");
  CHECK(f.tag->take(1, 1, seconds(60)).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("a tag recovers from an error that came when no ids were due", "[tag_state][fault]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK_FALSE(f.tag->try_take(1000, 1000).ok());  // asks for more than the stock, and leaves
  f.fail(down());
  while (f.next() != 0) continue;
  f.clock->advance(seconds(10));
  f.refill();
  CHECK(f.next() == 101);
}

TEST_CASE("an error of another kind starts a new wait", "[tag_state][fault]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.fail({StatusCode::kNotFound, "no such tag"});
  f.clock->advance(seconds(10));
  CHECK(f.next() == 0);
  f.fail(down());
  int calls = 0;
  f.tag->take_async(1, seconds(60), [&](const auto&) { ++calls; });
  CHECK(calls == 0);  // it waits for the store that has only just failed
}

TEST_CASE("an unknown tag is remembered for unknown_tag_ttl", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.fail({StatusCode::kNotFound, "no such tag"});
  const int requests = f.queue.requests();
  CHECK(f.try_code() == StatusCode::kNotFound);
  CHECK(f.queue.requests() == requests);
  f.clock->advance(seconds(1));
  CHECK(f.try_code() == StatusCode::kUnavailable);  // it is asked again
  CHECK(f.queue.requests() == requests + 1);
  f.refill();
  CHECK(f.next() == 1);
}

TEST_CASE("the error for a row that cannot be served names the fix, and the fix helps",
          "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  const Status refused = f.tag->accept_row({"order", 0, 0});
  CHECK_THAT(refused.message(), Contains("step 0; set it to 1 or more"));
  Status heard;
  f.tag->take_async(1, seconds(60), heard_by([&](const Status& status) { heard = status; }));
  f.answer(refused, 0);
  // Nobody waits if only an operator can fix the row.
  CHECK(heard.code() == StatusCode::kFailedPrecondition);
  CHECK(f.try_code() == StatusCode::kFailedPrecondition);
  f.clock->advance(seconds(1));
  CHECK(f.try_code() == StatusCode::kUnavailable);  // it is asked again
  f.refill();
  CHECK(f.next() == 1);
}

TEST_CASE("a store that went backwards stops the tag, held ids and all", "[tag_state][fault]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  const int requests = f.queue.requests();
  while (f.queue.requests() == requests) CHECK(f.next() != 0);
  Status heard;
  f.tag->take_async(100000, seconds(60), heard_by([&](const Status& status) { heard = status; }));
  REQUIRE(f.tag->begin_refill());
  const IdRange old{51, 151};
  CHECK(f.answer(old, 100).status.code() == StatusCode::kDataLoss);
  CHECK(f.next() == 0);
  CHECK(f.try_code() == StatusCode::kDataLoss);
  CHECK(heard.code() == StatusCode::kDataLoss);
  f.tag->close();
  CHECK(f.tag->take_tail().empty());
}

TEST_CASE("a lease of fewer ids than were asked for is used, and more are leased", "[tag_state]") {
  Fixture f;
  CHECK_FALSE(f.tag->holds_ids());
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  REQUIRE(f.tag->accept_row({"order", 0, 100}).ok());
  CHECK(f.answer(IdRange{1, 3}, 100).status.ok());
  CHECK(f.tag->holds_ids());
  CHECK(f.next() == 1);
  CHECK(f.next() == 2);
  CHECK_FALSE(f.tag->holds_ids());
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  CHECK(f.tag->lease_size().most_ids >= 100);
  CHECK(f.answer(IdRange{3, 103}, 100).status.ok());
  CHECK(f.next() == 3);
}

TEST_CASE("a lease of too many ids or outside the id space stops the tag", "[tag_state][fault]") {
  for (const IdRange wrong : {IdRange{1, 102}, IdRange{0, 100}, IdRange{-99, 1}, IdRange{5, 5}}) {
    Fixture f;
    CHECK(f.next() == 0);
    REQUIRE(f.tag->begin_refill());
    REQUIRE(f.tag->accept_row({"order", 0, 100}).ok());
    CHECK(f.answer(wrong, 100).status.code() == StatusCode::kDataLoss);
  }
}

TEST_CASE("a changed step is noticed within a minute", "[tag_state]") {
  Fixture f;
  CHECK(f.tag->lease_size().most_ids == 0);
  CHECK(f.tag->needs_row(0));
  CHECK(f.tag->accept_row({"order", 0, 100}).ok());
  CHECK_FALSE(f.tag->needs_row(0));
  f.clock->advance(seconds(60));
  CHECK(f.tag->needs_row(100));
}

TEST_CASE("an error is forgotten only once the store has answered", "[tag_state]") {
  Fixture f;
  f.next();
  f.refill();
  CHECK_FALSE(f.tag->needs_row(0));
  while (f.next() != 0) {
  }
  f.fail({StatusCode::kUnavailable, "down"});
  CHECK_FALSE(f.tag->needs_row(100));  // the lease will tell
  CHECK(f.tag->needs_row(0));          // ids came back in between, and none are due
}

TEST_CASE("a lower limit drops all held ids, and the series goes on after them", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  f.tag->limit(kIdMax);
  f.tag->limit(100);
  CHECK(f.next() == 2);  // nothing held is above it
  f.tag->limit(99);
  CHECK(f.tag->snapshot().held_ids == 0);
  CHECK_FALSE(f.tag->holds_ids());
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 101);
  CHECK(f.tag->snapshot().issued_ids == 3);
  f.tag->close();
  f.tag->limit(0);
  CHECK(f.tag->take_tail().size() > 0);  // nothing was above the limit when it was closed
}

TEST_CASE("a tag whose ids a limit dropped asks the store without a caller", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  const int requests = f.queue.requests();
  f.tag->limit(100);  // nothing held is above it
  CHECK(f.queue.requests() == requests);
  f.tag->limit(0);
  CHECK(f.queue.requests() == requests + 1);
  CHECK(f.queue.due() == f.clock->now());
  f.fail({StatusCode::kNotFound, "no such tag"});
  CHECK(f.tag->snapshot().error.code() == StatusCode::kNotFound);
  CHECK(f.queue.requests() == requests + 1);  // it is not asked again
}

TEST_CASE("a limit that finds no memory drops the ids all the same", "[tag_state][fault]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  f.queue.full = true;
  f.tag->limit(0);
  CHECK(f.tag->snapshot().held_ids == 0);
  f.queue.full = false;
  CHECK(f.next() == 0);  // asks
  f.refill();
  CHECK(f.next() == 101);
}

TEST_CASE("a drop asks for no ids, so that the tag can be moved back", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  const int requests = f.queue.requests();
  f.tag->drop();
  CHECK_FALSE(f.tag->holds_ids());
  CHECK(f.queue.requests() == requests);
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  f.tag->drop();  // also of the lease under way
  CHECK(f.answer(IdRange{101, 201}, 100).status.code() == StatusCode::kUnavailable);
}

TEST_CASE("a limit that comes during a lease counts for that lease", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  REQUIRE(f.tag->accept_row({"order", 0, 100}).ok());
  f.tag->limit(50);
  const Status lost = f.answer(IdRange{1, 101}, 100).status;
  INFO(lost);
  CHECK(lost.code() == StatusCode::kUnavailable);
  CHECK(f.next() == 0);
  f.max_id = 100;
  f.clock->advance(seconds(2));
  f.refill();  // the store knows the limit by now
  CHECK(f.next() == 101);
}

TEST_CASE("a store that leases the ids of a lost lease again has gone backwards", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  f.tag->limit(50);
  CHECK(f.answer(IdRange{1, 101}, 100).status.code() == StatusCode::kUnavailable);
  f.clock->advance(seconds(2));
  REQUIRE(f.tag->begin_refill());
  CHECK(f.answer(IdRange{1, 51}, 100).status.code() == StatusCode::kDataLoss);
}

TEST_CASE("a tag that is stopped drops its ids and answers with the reason", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  Status told;
  f.tag->take_async(1000000, seconds(1), heard_by([&](const Status& status) { told = status; }));
  const Status reason(StatusCode::kDataLoss, "went backwards");
  f.tag->stop_for(reason);
  f.tag->stop_for(Status(StatusCode::kDataLoss, "again"));
  CHECK(told.message() == "went backwards");
  CHECK(f.tag->try_take(1, 1).status().message() == "went backwards");
  CHECK(f.tag->snapshot().held_ids == 0);
  CHECK(f.tag->snapshot().error.message() == "went backwards");
}

TEST_CASE("a flight under way does not bring a stopped tag back", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  REQUIRE(f.tag->accept_row({"order", 0, 100}).ok());
  f.tag->stop_for(Status(StatusCode::kDataLoss, "went backwards"));
  f.answer(IdRange{1, 101}, 100);
  CHECK(f.try_code() == StatusCode::kDataLoss);
  CHECK(f.tag->snapshot().error.code() == StatusCode::kDataLoss);
}

TEST_CASE("a flight reports how near the series is to its end", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  REQUIRE(f.tag->accept_row({"order", 400, 100, 1000}).ok());
  const auto outcome = f.answer(IdRange{401, 501}, 100);
  REQUIRE(outcome.near_end);
  CHECK(outcome.near_end->percent == 50);
  CHECK(outcome.near_end->is_cap);
  const TagSnapshot snapshot = f.tag->snapshot();
  CHECK(snapshot.cap == 1000);
  CHECK(snapshot.max_id == 500);
}

}  // namespace featherid
