// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_UNIT_LIB_TAG_STATE_FIXTURE_H_
#define FEATHERID_TEST_UNIT_LIB_TAG_STATE_FIXTURE_H_

#include <atomic>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "lib/segment/tag_state.h"
#include "test/support/catch.h"
#include "test/support/manual_clock.h"

namespace featherid::test {

// Records its requests. The test acts as the refiller.
class RecordingQueue final : public RefillQueue {
 public:
  void request(std::shared_ptr<TagState> tag, TimePoint due) override {
    if (full) throw std::bad_alloc();
    tag_ = std::move(tag);
    due_ = due;
    ++requests_;
  }
  void sweep(std::shared_ptr<TagState> tag, TimePoint due) override {
    if (full) throw std::bad_alloc();
    swept_ = std::move(tag);
    sweep_due = due;
  }
  Status trouble() const override { return {}; }
  bool full = false;
  TimePoint sweep_due{};                      // of the last request; 1970: none
  int requests() const { return requests_; }  // by any thread
  TimePoint due() const { return due_; }

 private:
  std::shared_ptr<TagState> tag_;
  std::shared_ptr<TagState> swept_;
  TimePoint due_{};
  std::atomic<int> requests_{0};
};

// A callback that hears only how its wait ended.
template <typename Hear>
TagState::Callback heard_by(Hear hear) {
  return [hear](const Result<std::vector<IdRange>>& ids) { hear(ids.status()); };
}

inline Status down() { return {StatusCode::kUnavailable, "the store is down"}; }

// The options of the tags in these tests.
constexpr TagStateOptions kTagStateOptions{std::chrono::seconds(2),
                                           {std::chrono::seconds(30), 10000000},
                                           std::chrono::milliseconds(20),
                                           std::chrono::seconds(1),
                                           std::chrono::seconds(1)};

// A tag with a row of step 100 and a store that leases consecutive ranges.
struct TagStateFixture {
  RecordingQueue queue;
  std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  std::shared_ptr<TagState> tag =
      std::make_shared<TagState>("order", kTagStateOptions, clock, &queue);
  std::int64_t max_id = 0;
  TimeFloor floor;

  ~TagStateFixture() { tag->close(); }

  TagState::RefillOutcome answer(Result<IdRange> leased, std::int64_t asked_ids) {
    return tag->end_refill(asked_ids, std::move(leased), std::chrono::milliseconds(1));
  }
  void refill() {
    REQUIRE(tag->begin_refill());
    SegmentRow row{"order", max_id, 100};
    row.floor = floor;
    REQUIRE(tag->accept_row(row).ok());
    const std::int64_t asked_ids = tag->lease_size().most_ids;
    REQUIRE(asked_ids > 0);
    const IdRange range{max_id + 1, max_id + 1 + asked_ids};
    max_id += asked_ids;
    CHECK(answer(range, asked_ids).status.ok());
  }
  void fail(Status error) {
    REQUIRE(tag->begin_refill());
    CHECK(answer(std::move(error), 0).status.code() != StatusCode::kOk);
  }
  std::int64_t next() {
    const Result<std::vector<IdRange>> taken = tag->try_take(1, 1);
    return taken.ok() ? taken->front().first : 0;
  }
  StatusCode try_code() { return tag->try_take(1, 1).status().code(); }
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_UNIT_LIB_TAG_STATE_FIXTURE_H_
