// SPDX-License-Identifier: MIT
// TagState and its callers: waits, callbacks, ends.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/unit/lib/tag_state_fixture.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::down;
using test::heard_by;
using test::RecordingQueue;
using Fixture = test::TagStateFixture;

TEST_CASE("if no flight can be requested, nobody waits for one", "[tag_state][fault]") {
  Fixture f;
  f.queue.full = true;
  int calls = 0;
  const auto count = [&](const auto&) { ++calls; };
  CHECK_THROWS_AS(f.tag->take_async(1, seconds(60), count), std::bad_alloc);
  CHECK_THROWS_AS(f.next(), std::bad_alloc);
  CHECK_THROWS_AS(f.tag->take(1, 1, seconds(60)), std::bad_alloc);
  f.queue.full = false;
  f.tag->take_async(1, seconds(60), count);
  CHECK(f.queue.requests() == 1);
  f.queue.full = true;
  f.fail(down());  // and its retry cannot be requested
  CHECK(calls == 1);
  f.queue.full = false;
  f.clock->advance(seconds(1));
  CHECK(f.next() == 0);
  f.refill();
  CHECK(f.next() == 1);
}

TEST_CASE("an exception from a callback does not affect the others", "[tag_state][fault]") {
  Fixture f;
  int calls = 0;
  for (int i = 0; i < 3; ++i) {
    f.tag->take_async(1, seconds(60), [&](const auto& ids) {
      CHECK(ids.ok());
      ++calls;
      throw std::bad_alloc();
    });
  }
  f.refill();
  CHECK(calls == 3);
}

TEST_CASE("a caller that cannot wait still starts the lease it needs", "[tag_state]") {
  Fixture f;
  CHECK(f.tag->take(1, 1, Duration(0)).status().code() == StatusCode::kDeadlineExceeded);
  CHECK(f.queue.requests() == 1);
  CHECK_FALSE(f.tag->try_take(1500, 1500).ok());
  f.refill();
  CHECK(f.tag->try_take(1500, 1500).ok());
}

TEST_CASE("a caller that takes what there is leaves the next lease alone", "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  f.max_id += 1000;
  CHECK(f.tag->try_take(150, 150).status().code() == StatusCode::kUnavailable);
  f.refill();
  std::int64_t end = 1;
  while (end <= 100) {
    const Result<std::vector<IdRange>> taken = f.tag->try_take(1, 500);
    REQUIRE(taken.ok());
    REQUIRE(taken->size() == 1);
    CHECK(taken->front().first == end);
    end = taken->front().end;
  }
  CHECK(end == 101);
}

TEST_CASE("closing ends every wait", "[tag_state][threads]") {
  Fixture f;
  Status heard;
  f.tag->take_async(1, seconds(60), heard_by([&](const Status& status) { heard = status; }));
  Status blocked;
  std::thread caller([&] { blocked = f.tag->take(1, 1, seconds(60)).status(); });
  while (f.tag->snapshot().waits == 0) std::this_thread::yield();
  f.tag->close();
  caller.join();
  CHECK(blocked.code() == StatusCode::kFailedPrecondition);
  CHECK(heard.code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a callback gets its ids once, when enough have come", "[tag_state]") {
  Fixture f;
  std::vector<std::vector<IdRange>> got;
  const auto get = [&](const Result<std::vector<IdRange>>& ids) { got.push_back(*ids); };
  f.tag->take_async(150, seconds(60), get);
  CHECK(got.empty());
  f.refill();  // the waiting callers' 150, not the step
  CHECK(got == std::vector<std::vector<IdRange>>{{{1, 151}}});
  CHECK(f.next() == 0);
  f.refill();
  f.tag->take_async(2, seconds(60), get);
  CHECK(got.size() == 2);  // at once
  CHECK(got.back() == std::vector<IdRange>{{151, 153}});
}

TEST_CASE("callers get their ids in the order in which they came", "[tag_state][threads]") {
  Fixture f;
  std::vector<std::int64_t> got(3);
  const auto get = [&](std::size_t i) {
    return [&got, i](const Result<std::vector<IdRange>>& ids) { got[i] = ids->front().first; };
  };
  f.tag->take_async(10, seconds(60), get(0));
  std::thread caller([&] { got[1] = f.tag->take(10, 10, seconds(60))->front().first; });
  while (f.tag->snapshot().waits < 2) std::this_thread::yield();
  f.tag->take_async(10, seconds(60), get(2));
  f.refill();
  caller.join();
  CHECK(got == std::vector<std::int64_t>{1, 11, 21});
}

TEST_CASE("parked waits past their deadline do not pile up while the store hangs",
          "[tag_state][fault]") {
  Fixture f;
  int timed_out = 0;
  for (int i = 0; i < 10000; ++i) {
    f.tag->take_async(1, seconds(1), heard_by([&](const Status& status) {
                        if (status.code() == StatusCode::kDeadlineExceeded) ++timed_out;
                      }));
    f.clock->advance(milliseconds(100));
  }
  CHECK(timed_out > 9900);
}

namespace {

// Asks again in each call, up to a limit. The stack shows its depth.
struct Again {
  TagState& tag;
  std::int64_t count_ids = 1;
  Duration timeout = seconds(600);
  int calls = 0;
  int calls_max = 1000000;
  int depth = 0;
  int depth_max = 0;
  Status heard{};
  std::int64_t got_ids = 0;
  std::function<void()> in_between{};

  ~Again() {
    calls_max = 0;
    tag.close();
  }
  void ask() {
    tag.take_async(count_ids, timeout, [this](const Result<std::vector<IdRange>>& ids) {
      depth_max = std::max(depth_max, ++depth);
      heard = ids.status();
      if (ids.ok()) got_ids += ids->front().size();
      if (in_between) in_between();
      if (++calls < calls_max) ask();
      --depth;
    });
  }
};

}  // namespace

TEST_CASE("a callback that registers again on an error gets the next one from the next flight",
          "[tag_state][fault]") {
  Fixture f;
  Again again{*f.tag};
  const auto answer_three_times = [&](const Status& error) {
    for (int flights = 1; flights <= 3; ++flights) {
      f.clock->advance(seconds(2));
      f.fail(error);
      CHECK(again.calls == flights);
      CHECK(again.heard.code() == error.code());
      CHECK(f.queue.due() > f.clock->now());
    }
  };
  again.ask();
  SECTION("an outage, once it has lasted a whole wait_timeout") {
    f.fail(down());
    CHECK(again.calls == 0);
    answer_three_times(down());
  }
  SECTION("no such tag") { answer_three_times({StatusCode::kNotFound, "no such tag"}); }
  SECTION("a row that an operator has to fix") {
    answer_three_times({StatusCode::kFailedPrecondition, "step 0"});
  }
  SECTION("no ids left") { answer_three_times({StatusCode::kExhausted, "the end"}); }
  CHECK(again.depth_max == 1);
}

TEST_CASE("a callback that registers again is not called out of its own registration",
          "[tag_state][fault]") {
  Fixture f;
  Again again{*f.tag};
  SECTION("with an error that is remembered") {
    CHECK(f.try_code() == StatusCode::kUnavailable);
    f.fail({StatusCode::kNotFound, "no such tag"});
    again.ask();
    CHECK(again.calls == 1);  // the other one waits for the next flight
    f.clock->advance(f.queue.due() - f.clock->now());
    f.refill();
    CHECK(again.heard.ok());
  }
  SECTION("with a deadline that has passed, while the store hangs") {
    CHECK(f.try_code() == StatusCode::kUnavailable);
    REQUIRE(f.tag->begin_refill());
    again.timeout = seconds(0);
    again.ask();
    CHECK(again.calls == 1);
    for (int i = 0; i < 1000; ++i) f.tag->take_async(1, seconds(0), [](const auto&) {});
    CHECK(again.calls == 1);
    CHECK(f.answer(down(), 0).status.code() == StatusCode::kUnavailable);
    CHECK(again.calls == 2);
  }
  CHECK(again.depth_max == 1);
}

TEST_CASE("a callback that takes ids and registers again continues until they are gone",
          "[tag_state]") {
  Fixture f;
  CHECK(f.next() == 0);
  f.refill();
  Again again{*f.tag};
  again.ask();
  CHECK(again.heard.ok());
  CHECK(again.got_ids == f.max_id);
  CHECK(again.calls == again.got_ids);
  CHECK(again.depth_max == 1);
}

TEST_CASE("a callback that registers again for ever ends with its tag", "[tag_state]") {
  Fixture f;
  Again again{*f.tag};
  SECTION("parked when the tag is closed") {
    again.ask();
    f.tag->close();
  }
  SECTION("closed before") {
    f.tag->close();
    again.ask();
  }
  SECTION("refused for its count") {
    const TagState::Callback refused = [&](const Result<std::vector<IdRange>>& ids) {
      again.heard = ids.status();
      ++again.calls;
      f.tag->refuse(refused, ids.status());
    };
    f.tag->refuse(refused, {StatusCode::kFailedPrecondition, "not so many"});
  }
  CHECK(again.calls >= 1);
  CHECK(again.calls <= 2);
  CHECK(again.heard.code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a callback that gets an error and registers again also gets the end", "[tag_state]") {
  Fixture f;
  Again again{*f.tag};
  again.in_between = [&] {
    if (again.calls == 0) f.tag->close();
  };
  again.calls_max = 2;
  CHECK(f.try_code() == StatusCode::kUnavailable);
  f.fail({StatusCode::kNotFound, "no such tag"});
  again.ask();
  CHECK(again.calls == 2);
  CHECK(again.heard.code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a callback may release the last handle", "[tag_state]") {
  RecordingQueue queue;
  auto clock = std::make_shared<test::ManualClock>();
  auto open = std::make_shared<TagState>("order", test::kTagStateOptions, clock, &queue);
  CHECK_FALSE(open->try_take(1, 1).ok());
  REQUIRE(open->begin_refill());
  CHECK(
      open->end_refill(0, Status(StatusCode::kNotFound, "no such tag"), seconds(0)).status.code() ==
      StatusCode::kNotFound);
  queue.request(nullptr, {});
  bool called = false;
  open->take_async(1, seconds(1), [&](const auto&) {
    open->close();
    open.reset();
    called = true;
  });
  CHECK(called);
  CHECK(open == nullptr);
}

}  // namespace featherid
