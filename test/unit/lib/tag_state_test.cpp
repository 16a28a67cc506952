// SPDX-License-Identifier: MIT
#include "lib/segment/tag_state.h"

#include <chrono>
#include <thread>
#include <vector>

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

// --- strict order ---

namespace {

struct StrictFixture : Fixture {
  LeaseSize begin() {
    REQUIRE(tag->begin_refill());
    REQUIRE(tag->accept_row({"order", max_id, 100, kIdMax, TagOrder::kStrict}).ok());
    return tag->lease_size();
  }
  // Leases `ids`, wherever the series is by now.
  void lease(std::int64_t ids, std::int64_t asked_ids) {
    const IdRange range{max_id + 1, max_id + 1 + ids};
    max_id += ids;
    CHECK(answer(range, asked_ids).status.ok());
  }
  void serve() {
    const LeaseSize size = begin();
    REQUIRE(size.most_ids > 0);
    lease(size.most_ids, size.most_ids);
  }
};

// Keeps what its callbacks get.
struct Got {
  std::vector<IdRange> ids;
  Status status;
  int calls = 0;

  TagState::Callback callback() {
    return [this](const Result<std::vector<IdRange>>& result) {
      ++calls;
      status = result.status();
      if (result.ok()) ids = *result;
    };
  }
};
using Ranges = std::vector<IdRange>;

}  // namespace

TEST_CASE("under strict order a lease is for those who waited when it was asked for",
          "[tag_state][strict]") {
  StrictFixture f;
  Got first;
  Got second;
  Got late;
  f.tag->take_async(3, seconds(60), first.callback());
  f.tag->take_async(2, seconds(60), second.callback());
  const LeaseSize size = f.begin();
  CHECK(size.most_ids == 5);  // not the step
  CHECK(size.least_ids == 2);
  f.tag->take_async(1, seconds(60), late.callback());
  f.lease(5, 5);
  CHECK(first.ids == Ranges{{1, 4}});
  CHECK(second.ids == Ranges{{4, 6}});
  CHECK(late.calls == 0);
  CHECK(f.queue.requests() == 2);
  CHECK_FALSE(f.tag->holds_ids());
  f.max_id += 100;  // another process
  f.serve();
  CHECK(late.ids == Ranges{{106, 107}});
  CHECK(f.queue.requests() == 2);  // nobody waits
}

TEST_CASE("under strict order a failed lease is asked for again, with those who came meanwhile",
          "[tag_state][strict][fault]") {
  StrictFixture f;
  Got first;
  Got second;
  f.tag->take_async(1, seconds(60), first.callback());
  CHECK(f.begin().most_ids == 1);
  f.tag->take_async(1, seconds(60), second.callback());
  CHECK_FALSE(f.answer(down(), 1).status.ok());
  CHECK(first.calls + second.calls == 0);
  f.clock->advance(seconds(1));
  f.max_id += 1;  // it was made, and is lost
  f.serve();
  CHECK(first.ids == Ranges{{2, 3}});
  CHECK(second.ids == Ranges{{3, 4}});
}

TEST_CASE("under strict order what nobody takes is dropped", "[tag_state][strict]") {
  StrictFixture f;
  Got gone;
  f.tag->take_async(5, seconds(1), gone.callback());
  Status blocked;
  std::thread caller([&] { blocked = f.tag->take(7, 7, seconds(1)).status(); });
  while (f.tag->snapshot().waits < 2) std::this_thread::yield();
  CHECK(f.begin().most_ids == 12);
  f.clock->advance(seconds(2));
  caller.join();
  CHECK(blocked.code() == StatusCode::kDeadlineExceeded);
  f.lease(12, 12);
  CHECK(gone.ids.size() == 1);  // a callback gets late ids: only its owner knows whether it is gone
  CHECK_FALSE(f.tag->holds_ids());
  CHECK(f.tag->snapshot().issued_ids == 5);

  Got left;
  f.tag->take_async(1, seconds(60), left.callback());
  CHECK(f.begin().most_ids == 1);
  f.tag->close();
  CHECK(left.status.code() == StatusCode::kFailedPrecondition);
  f.answer(IdRange{f.max_id + 1, f.max_id + 2}, 1);
  CHECK(f.tag->take_tail().empty());
}

TEST_CASE("under strict order a waiter whose time is up gets no part of a new lease",
          "[tag_state][strict]") {
  StrictFixture f;
  Got gone;
  f.tag->take_async(5, seconds(1), gone.callback());
  f.clock->advance(seconds(2));
  CHECK(f.begin().most_ids == 0);
  CHECK(f.answer(IdRange{}, 0).status.ok());
  CHECK(gone.status.code() == StatusCode::kDeadlineExceeded);
}

TEST_CASE("under strict order near the end of the tag those get ids whose count fits",
          "[tag_state][strict]") {
  StrictFixture f;
  Got large;
  Got small;
  f.tag->take_async(300, seconds(60), large.callback());
  f.tag->take_async(2, seconds(60), small.callback());
  const LeaseSize size = f.begin();
  CHECK(size.least_ids == 2);
  CHECK(size.most_ids == 302);
  f.lease(100, 302);
  CHECK(small.ids == Ranges{{1, 3}});
  CHECK(large.calls == 0);
  CHECK(f.begin().least_ids == 300);
  f.answer(Status(StatusCode::kExhausted, "the end"), 300);
  CHECK(large.status.code() == StatusCode::kExhausted);
}

TEST_CASE("under strict order one lease is for as many as it may serve", "[tag_state][strict]") {
  std::vector<Got> got(12);
  StrictFixture f;  // lease_max_ids is 10 million
  for (Got& each : got) f.tag->take_async(kRangeIdsMax, seconds(60), each.callback());
  CHECK(f.begin().most_ids == 10 * kRangeIdsMax);
  f.lease(10 * kRangeIdsMax, 10 * kRangeIdsMax);
  CHECK(got[9].calls == 1);
  CHECK(got[10].calls == 0);
  CHECK(f.begin().most_ids == 2 * kRangeIdsMax);
}

TEST_CASE("a tag of strict order refuses calls that do not wait, and blocks of ids",
          "[tag_state][strict]") {
  StrictFixture f;
  CHECK(f.try_code() == StatusCode::kUnavailable);  // its order is not known yet
  Status block;
  std::thread caller([&] { block = f.tag->take(1, 10, seconds(60)).status(); });
  while (f.tag->snapshot().waits < 2) std::this_thread::yield();
  CHECK(f.begin().most_ids == 0);
  CHECK(f.answer(IdRange{}, 0).status.ok());
  caller.join();
  CHECK(block.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(block.message(), Contains("LocalBlock"));
  const int requests = f.queue.requests();
  CHECK_THAT(f.tag->try_take(1, 1).status().message(), Contains("strict order"));
  CHECK(f.tag->take(1, 10, seconds(60)).status().code() == StatusCode::kFailedPrecondition);
  CHECK(f.tag->take(1, 1, seconds(0)).status().code() == StatusCode::kDeadlineExceeded);
  CHECK(f.queue.requests() == requests);  // nobody would take the ids
}

TEST_CASE("a tag that becomes strict drops what it holds, and blocks stop", "[tag_state][strict]") {
  StrictFixture f;
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
  SECTION("told by the store") {
    f.tag->limit(0);
    CHECK(f.tag->cursor().stopped());  // a LocalBlock looks at this
    CHECK(f.next() == 0);
  }
  SECTION("read from the row") {
    CHECK_FALSE(f.tag->try_take(1000, 1000).ok());
    f.clock->advance(seconds(60));
  }
  CHECK(f.tag->needs_row(100));
  CHECK(f.begin().most_ids == 0);
  CHECK(f.answer(IdRange{}, 0).status.ok());
  CHECK(f.tag->cursor().stopped());
  CHECK_FALSE(f.tag->holds_ids());
  Got got;
  f.tag->take_async(1, seconds(60), got.callback());
  f.serve();
  CHECK(got.ids == Ranges{{101, 102}});

  f.clock->advance(seconds(60));  // plain again
  CHECK(f.try_code() == StatusCode::kUnavailable);
  f.tag->take_async(1, seconds(60), got.callback());
  f.refill();
  CHECK_FALSE(f.tag->cursor().stopped());
  CHECK(got.ids == Ranges{{102, 103}});
  CHECK(f.next() == 103);
}

TEST_CASE("a row that was read before a change is read again after it", "[tag_state][strict]") {
  StrictFixture f;
  CHECK(f.next() == 0);
  REQUIRE(f.tag->begin_refill());
  SECTION("the change comes after the row") {
    REQUIRE(f.tag->accept_row({"order", 0, 100}).ok());
    f.tag->limit(0);
  }
  SECTION("the change comes before the row") {
    f.tag->limit(0);
    REQUIRE(f.tag->accept_row({"order", 0, 100}).ok());
  }
  CHECK_FALSE(f.answer(IdRange{1, 101}, 100).status.ok());
  CHECK_FALSE(f.tag->holds_ids());
  f.max_id = 100;
  f.clock->advance(seconds(1));
  CHECK(f.tag->needs_row(100));
}

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
