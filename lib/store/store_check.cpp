// SPDX-License-Identifier: MIT
#include "featherid/store_check.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>

#include "lib/base/call_store.h"

namespace featherid {

namespace {

std::string text_of(IdRange range) {
  return "[" + std::to_string(range.first) + ", " + std::to_string(range.end) + ")";
}

// The store under test, whose exceptions and impossible answers become errors.
class Tamed final : public SegmentStore {
 public:
  explicit Tamed(std::shared_ptr<SegmentStore> store) : store_(std::move(store)) {}

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override {
    Result<IdRange> range = call_store<IdRange>([&] { return store_->lease(tag, size); });
    if (!range.ok()) return range;
    if (range->first >= 1 && range->first < range->end && range->last() <= kIdMax) return range;
    return wrong("lease() returned a range that is empty or outside [1, 2^63 - 2]");
  }
  Result<SegmentRow> find(std::string_view tag) override {
    Result<SegmentRow> row = call_store<SegmentRow>([&] { return store_->find(tag); });
    if (!row.ok() || (row->max_id >= 0 && row->max_id < kIdMax)) return row;
    return wrong("find() returned a max_id that leaves no ids");
  }
  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    return call_store<bool>([&] { return store_->give_back(tag, tail); });
  }

 private:
  static Status wrong(const char* what) { return {StatusCode::kDataLoss, what}; }

  const std::shared_ptr<SegmentStore> store_;
};

// One run of check_store().
class Check {
 public:
  Check(std::shared_ptr<SegmentStore> first, std::shared_ptr<SegmentStore> second,
        std::string_view tag)
      : first_(std::move(first)), second_(std::move(second)), tag_(tag) {}

  void row();
  void lease_sizes();
  void leases();
  void give_backs();
  void other_tags();
  void leases_at_once();
  void give_backs_at_once();

  std::vector<std::string> wrong() && { return std::move(wrong_); }

 private:
  static constexpr int kThreads = 8;
  static constexpr int kLeasesEach = 15;

  void require(bool holds, const std::string& sentence) {
    if (!holds) wrong_.push_back(sentence);
  }
  void require_code(const Status& status, StatusCode code, const std::string& what) {
    require(status.code() == code,
            what + " must return " + to_string(code) + ", but returned " + status.to_string());
  }
  SegmentStore& store_of(int thread) const { return thread % 2 == 0 ? *first_ : *second_; }

  // The row's max_id; 0 if it cannot be read.
  std::int64_t max_id(SegmentStore& store);
  // An empty range if the lease fails.
  IdRange lease(SegmentStore& store, LeaseSize size);
  template <typename Body>  // body(thread)
  static void run_at_once(Body body);
  void require_disjoint(std::vector<IdRange> ranges, const std::string& what);

  const std::shared_ptr<SegmentStore> first_;
  const std::shared_ptr<SegmentStore> second_;
  const std::string tag_;
  std::vector<std::string> wrong_;
};

std::int64_t Check::max_id(SegmentStore& store) {
  const Result<SegmentRow> row = store.find(tag_);
  require(row.ok(), "find() of the tag must succeed, but returned " + row.status().to_string());
  return row.ok() ? row->max_id : 0;
}

IdRange Check::lease(SegmentStore& store, LeaseSize size) {
  const Result<IdRange> range = store.lease(tag_, size);
  require(range.ok(), "lease() must succeed, but returned " + range.status().to_string());
  return range.ok() ? *range : IdRange{};
}

template <typename Body>
void Check::run_at_once(Body body) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(body, thread);
  for (std::thread& thread : threads) thread.join();
}

void Check::require_disjoint(std::vector<IdRange> ranges, const std::string& what) {
  std::sort(ranges.begin(), ranges.end(), [](IdRange a, IdRange b) { return a.first < b.first; });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    require(ranges[i - 1].end <= ranges[i].first, what + " must not overlap, but " +
                                                      text_of(ranges[i - 1]) + " and " +
                                                      text_of(ranges[i]) + " do");
  }
}

void Check::row() {
  const Result<SegmentRow> row = first_->find(tag_);
  require(row.ok(), "find() of the tag must succeed, but returned " + row.status().to_string());
  if (!row.ok()) return;
  require(row->tag == tag_, "find() must return the tag that was asked for");
  require(row->step > 0, "the row's step must be 1 or more");
  require(row->max_id >= 0, "the row's max_id must be 0 or more");
}

void Check::lease_sizes() {
  const std::int64_t before = max_id(*first_);
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
  for (const LeaseSize size :
       {LeaseSize(0), LeaseSize(-1), LeaseSize(0, 5), LeaseSize(6, 5),
        LeaseSize(1, kLeaseIdsMax + 1), LeaseSize(kLowest), LeaseSize(1, kHighest)}) {
    require_code(first_->lease(tag_, size).status(), StatusCode::kInvalidArgument,
                 "lease() of " + std::to_string(size.least_ids) + " to " +
                     std::to_string(size.most_ids) + " ids");
  }
  require(max_id(*first_) == before, "a refused lease() must not move max_id");
}

void Check::leases() {
  for (const LeaseSize size : {LeaseSize(1), LeaseSize(7), LeaseSize(1, 1000)}) {
    const std::int64_t before = max_id(*first_);
    const IdRange range = lease(*first_, size);
    require(range.first == before + 1, "lease() after max_id " + std::to_string(before) +
                                           " must begin right after it, but returned " +
                                           text_of(range));
    require(range.size() >= size.least_ids && range.size() <= size.most_ids,
            "lease() must return a number of ids within the size asked for, but returned " +
                text_of(range));
    require(max_id(*second_) == range.last(),
            "a lease must be visible to the second store as soon as lease() returns");
    const IdRange next = lease(*second_, 1);
    require(next.first >= range.end, "the second store must lease above the first one's " +
                                         text_of(range) + ", but leased " + text_of(next));
  }
}

void Check::give_backs() {
  const IdRange range = lease(*first_, 10);
  const IdRange tail{range.first + 6, range.end};
  Result<bool> given = first_->give_back(tag_, tail);
  require(given.ok() && *given, "give_back() of the newest lease's tail must return true");
  require(max_id(*first_) == tail.first - 1, "give_back() must set max_id to tail.first - 1");
  given = second_->give_back(tag_, tail);
  require(given.ok() && !*given, "a second give_back() of the same tail must return false");
  lease(*second_, 10);
  const std::int64_t before = max_id(*first_);
  given = first_->give_back(tag_, {range.first, tail.first});
  require(given.ok() && !*given, "give_back() after somebody else's lease must return false");
  require(max_id(*first_) == before, "a give_back() that returns false must change nothing");
  for (const IdRange bad : {IdRange{0, 0}, IdRange{5, 5}, IdRange{6, 5}, IdRange{0, 1}}) {
    require_code(first_->give_back(tag_, bad).status(), StatusCode::kInvalidArgument,
                 "give_back() of " + text_of(bad));
  }
}

void Check::other_tags() {
  const std::string missing = "no row has this tag: check_store";
  require_code(first_->lease(missing, 1).status(), StatusCode::kNotFound, "lease() without a row");
  require_code(first_->find(missing).status(), StatusCode::kNotFound, "find() without a row");
  const Result<bool> given = first_->give_back(missing, {1, 2});
  require(given.ok() && !*given, "give_back() without a row must return false");
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a\nb"),
                                 std::string("\xC3\x28"), std::string(" a")}) {
    const std::string of = " of the malformed tag '" + bad + "'";
    require_code(first_->lease(bad, 1).status(), StatusCode::kInvalidArgument, "lease()" + of);
    require_code(first_->find(bad).status(), StatusCode::kInvalidArgument, "find()" + of);
    require_code(first_->give_back(bad, {1, 2}).status(), StatusCode::kInvalidArgument,
                 "give_back()" + of);
  }
}

// Each thread leases 10, keeps 5 and tries to give 5 back: what is kept must be disjoint.
void Check::leases_at_once() {
  std::vector<std::vector<IdRange>> kept(kThreads);
  std::atomic<int> failed{0};
  run_at_once([&](int thread) {
    for (int i = 0; i < kLeasesEach; ++i) {
      const Result<IdRange> range = store_of(thread).lease(tag_, 10);
      if (!range.ok()) {
        ++failed;
        continue;
      }
      const IdRange tail{range->first + 5, range->end};
      const Result<bool> given = store_of(thread).give_back(tag_, tail);
      if (!given.ok()) ++failed;
      const bool back = given.ok() && *given;
      kept[static_cast<std::size_t>(thread)].push_back(
          {range->first, back ? tail.first : range->end});
    }
  });
  require(failed == 0, std::to_string(failed) + " of " + std::to_string(kThreads * kLeasesEach) +
                           " leases and give-backs of several threads failed");
  std::vector<IdRange> all;
  for (const std::vector<IdRange>& own : kept) all.insert(all.end(), own.begin(), own.end());
  require_disjoint(std::move(all), "leases of several threads");
}

void Check::give_backs_at_once() {
  const IdRange range = lease(*first_, 10);
  std::atomic<int> given{0};
  run_at_once([&](int thread) {
    const Result<bool> result = store_of(thread).give_back(tag_, range);
    if (result.ok() && *result) ++given;
  });
  require(given == 1, "of several give_back() of one tail at once, one must return true, but " +
                          std::to_string(given) + " do");
  require(max_id(*first_) == range.first - 1, "the tail must have been given back once");
}

}  // namespace

std::vector<std::string> check_store(const std::function<std::shared_ptr<SegmentStore>()>& open,
                                     std::string_view tag) {
  std::shared_ptr<SegmentStore> first = open();
  std::shared_ptr<SegmentStore> second = open();
  if (first == nullptr || second == nullptr) return {"open() must return a store"};
  Check check(std::make_shared<Tamed>(std::move(first)), std::make_shared<Tamed>(std::move(second)),
              tag);
  check.row();
  check.lease_sizes();
  check.leases();
  check.give_backs();
  check.other_tags();
  check.leases_at_once();
  check.give_backs_at_once();
  return std::move(check).wrong();
}

}  // namespace featherid
