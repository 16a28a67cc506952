// SPDX-License-Identifier: MIT
#include "featherid/internal/id_cursor.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/in_fork.h"

namespace featherid::internal {

// Sets the word as a long history would have left it.
struct IdCursorTestPeer {
  static void add_to_word(IdCursor& cursor, std::uint64_t by) { cursor.word_.fetch_add(by); }
};

TEST_CASE("a new cursor is empty", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.claim_one() == 0);
  CHECK(cursor.claim(1, 10).empty());
  CHECK(cursor.remaining() == 0);
}

TEST_CASE("a cursor hands out its segment in order and then nothing", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.replace({101, 104}).empty());
  CHECK(cursor.remaining() == 3);
  CHECK(cursor.claim_one() == 101);
  CHECK(cursor.claim_one() == 102);
  CHECK(cursor.claim_one() == 103);
  CHECK(cursor.claim_one() == 0);
  CHECK(cursor.remaining() == 0);
}

TEST_CASE("a range claim takes all it may or nothing", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.replace({1, 11}).empty());
  CHECK(cursor.claim(4, 4) == IdRange{1, 5});
  CHECK(cursor.claim(7, 9).empty());
  CHECK(cursor.claim(1, 5) == IdRange{5, 10});
  CHECK(cursor.claim(1, 5) == IdRange{10, 11});
  CHECK(cursor.claim(1, 5).empty());
}

TEST_CASE("replacing a segment returns exactly what was not claimed", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.replace({1, 11}).empty());
  CHECK(cursor.claim_one() == 1);
  CHECK(cursor.replace({50, 60}) == IdRange{2, 11});
  CHECK(cursor.claim_one() == 50);
  CHECK(cursor.replace({}) == IdRange{51, 60});
  CHECK(cursor.claim_one() == 0);
  CHECK(cursor.replace({}).empty());
}

TEST_CASE("ids reach to the top of the id space", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.replace({kIdMax - 1, kIdMax + 1}).empty());
  CHECK(cursor.claim_one() == kIdMax - 1);
  CHECK(cursor.claim_one() == kIdMax);
  // Past the end the word exceeds the largest id. None of that comes back as a tail.
  for (int i = 0; i < 10; ++i) CHECK(cursor.claim_one() == 0);
  CHECK(cursor.claim(1, 1).empty());
  CHECK(cursor.remaining() == 0);
  CHECK(cursor.replace({}).empty());
}

TEST_CASE("claims past the end take nothing from the segment that begins there", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.replace({1, 2}).empty());
  IdCursorTestPeer::add_to_word(cursor, std::uint64_t{1} << 40);
  CHECK(cursor.claim_one() == 0);
  CHECK(cursor.remaining() == 0);
  CHECK(cursor.replace({2, 4}).empty());
  CHECK(cursor.claim_one() == 2);
  CHECK(cursor.claim_one() == 3);
  CHECK(cursor.claim_one() == 0);
}

TEST_CASE("a closed cursor withstands any number of claims", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.replace({1, 2}).empty());
  CHECK(cursor.replace({}) == IdRange{1, 2});
  IdCursorTestPeer::add_to_word(cursor, std::uint64_t{1} << 60);
  CHECK(cursor.claim_one() == 0);
  CHECK(cursor.replace({}).empty());
  CHECK(cursor.replace({1, 3}).empty());
  CHECK(cursor.claim_one() == 1);
}

TEST_CASE("a stopped cursor reports that and holds nothing", "[id_cursor]") {
  IdCursor cursor;
  cursor.replace({5, 10});
  CHECK_FALSE(cursor.stopped());
  CHECK(cursor.replace({}) == IdRange{5, 10});
  cursor.stop();
  CHECK(cursor.stopped());
  CHECK(cursor.claim_one() == 0);
  CHECK(cursor.claim(1, 5).empty());
  CHECK(cursor.remaining() == 0);
}

TEST_CASE("a returned segment can go in again, longer or whole", "[id_cursor]") {
  IdCursor cursor;
  CHECK(cursor.replace({1, 11}).empty());
  CHECK(cursor.claim_one() == 1);
  CHECK(cursor.replace({}) == IdRange{2, 11});
  CHECK(cursor.end() == 11);
  CHECK(cursor.replace({5, 20}).empty());  // 2 to 4 were taken out of it
  CHECK(cursor.claim_one() == 5);
  CHECK(cursor.end() == 20);
}

TEST_CASE("threads never claim an id twice while segments are replaced", "[id_cursor][threads]") {
  constexpr std::int64_t kSegmentIds = 7;  // short, for many generations
  constexpr std::int64_t kIds = 200000;
  IdCursor cursor;
  std::vector<std::atomic<int>> claimed(kIds + 1);
  std::atomic<bool> done{false};
  const auto note = [&](IdRange range) {
    for (std::int64_t id = range.first; id < range.end; ++id) {
      ++claimed[static_cast<std::size_t>(id)];
    }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      while (!done) {
        if (const std::int64_t id = cursor.claim_one(); id != 0) note({id, id + 1});
        if (t == 2) note(cursor.claim(1, 3));
      }
    });
  }
  for (std::int64_t first = 1; first + kSegmentIds <= kIds; first += kSegmentIds) {
    note(cursor.replace({first, first + kSegmentIds}));
  }
  note(cursor.replace({}));
  done = true;
  for (std::thread& thread : threads) thread.join();

  const auto twice = std::count_if(claimed.begin(), claimed.end(), [](int n) { return n > 1; });
  const auto once = std::count(claimed.begin(), claimed.end(), 1);
  CHECK(twice == 0);
  CHECK(once > kIds / 2);  // the rest was lost by claimants that slept through generations
}

TEST_CASE("in a child the parent's segment is used up, and the parent goes on",
          "[id_cursor][fork]") {
  IdCursor cursor;
  CHECK(cursor.replace({1, 11}).empty());
  CHECK(cursor.claim_one() == 1);
  const int failed = test::failures_in_fork([&] {
    int wrong = 0;
    for (int i = 0; i < 100; ++i) wrong += cursor.claim_one() != 0;
    wrong += !cursor.claim(1, 1).empty();
    wrong += cursor.remaining() != 0;
    // None of it comes back as a tail. A segment that the child puts in is the child's own.
    wrong += !cursor.replace({100, 110}).empty();
    wrong += cursor.claim_one() != 100;
    wrong += test::failures_in_fork([&] { return cursor.claim_one() == 0 ? 0 : 1; });
    wrong += cursor.replace({}) != IdRange{101, 110};
    return wrong;
  });
  CHECK(failed == 0);
  CHECK(cursor.claim_one() == 2);
  CHECK(cursor.replace({}) == IdRange{3, 11});
}

}  // namespace featherid::internal
