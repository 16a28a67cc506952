// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_LOAD_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "test/proof/sim/random.h"

namespace featherid::campaign {

using sim::Random;

constexpr int kThreads = 2;                      // ask one process for ids
constexpr std::chrono::milliseconds kPeriod{5};  // a thread asks once in it
constexpr int kBatchMax = 200;
constexpr int kRangeMax = 5000;

// Short, so that there are many leases and an outage soon shows.
constexpr int kHoldSeconds = 1;
constexpr std::int64_t kLeaseIdsMax = 200000;

// Of the time floors of a campaign that has them.
constexpr std::chrono::seconds kLeadMaxSeconds{2};

// Whose ids are in strict order, if the campaign says so.
constexpr const char* kStrictTag = "strict";

// Whether the tag has periods, if the campaign says so.
inline bool is_periodic(const std::string& tag) {
  return tag == "order" || tag == "user" || tag == "tiny-steps";
}

// The tags of a process: four that all processes share, and last its own.
inline std::vector<std::string> tags_of(const std::string& process) {
  return {"order", "user", "tiny-steps", kStrictTag, "own-of-" + process};
}

// One of those that all share.
inline std::string shared_tag(Random& random) { return tags_of("").at(random.index(4)); }

// The line of an embedding process when it is ready for SIGTERM.
inline std::string begins(std::uint16_t life) { return "life " + std::to_string(life) + " begins"; }

struct Question {
  enum Kind { kOne, kBatch, kRange };

  Kind kind;
  std::size_t tag;
  std::int64_t count_ids;
};

inline Question next_question(Random& random, std::size_t tags) {
  Question question{Question::kOne, random.index(tags), 1};
  const std::int64_t roll = random.pick(0, 9);
  if (roll < 3) {
    question.kind = Question::kRange;
    question.count_ids = random.pick(1, kRangeMax);
  } else if (roll < 5) {
    question.kind = Question::kBatch;
    question.count_ids = random.pick(1, kBatchMax);
  }
  return question;
}

// Turns that come once in a period. A missed turn is not made up for.
class Pace {
 public:
  void wait() {
    const auto now = std::chrono::steady_clock::now();
    due_ = std::max(now, due_ + kPeriod);
    std::this_thread::sleep_until(due_);
  }

 private:
  std::chrono::steady_clock::time_point due_{};
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_LOAD_H_
