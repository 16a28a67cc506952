// SPDX-License-Identifier: MIT
#include <chrono>
#include <thread>
#include <vector>

#include "lib/segment/tag_state.h"
#include "test/support/catch.h"
#include "test/unit/lib/tag_state_fixture.h"

namespace featherid {

using std::chrono::seconds;
using test::down;

namespace {

struct StrictFixture : test::TagStateFixture {
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

}  // namespace featherid
