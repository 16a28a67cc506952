// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SIM_MODEL_STORE_H_
#define FEATHERID_TEST_SIM_MODEL_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "featherid/segment_store.h"

namespace featherid::sim {

// Which faults a run has; how often is drawn per call.
struct Faults {
  bool before_commit = false;  // the call fails and nothing happened
  bool after_commit = false;   // the call fails and it happened
  bool late = false;       // others act while the call is under way, before and after its commit
  bool outage = false;     // every call fails, for a while
  bool backwards = false;  // the last commits are forgotten
  bool operators = false;  // rows are changed by hand: step, max_id forward, deleted
};

// The database that all simulated processes share: a plain map of rows, and the truth about what
// was committed. One thread; `meanwhile` is called while a late call is under way and runs other
// actors.
class ModelDatabase {
 public:
  explicit ModelDatabase(std::mt19937_64& random) : random_(random) {}

  struct Row {
    std::int64_t max_id = 0;
    std::int64_t step = 0;
  };

  std::map<std::string, Row> rows;
  Faults faults;
  bool out = false;  // an outage is on
  std::function<void()> meanwhile;

  bool roll(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::int64_t pick(std::int64_t min, std::int64_t max) {
    return min + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(max - min + 1));
  }

  // Forgets the last commits, as a restored backup does.
  void go_backwards();
  void remember() { backup_ = rows; }

 private:
  std::mt19937_64& random_;
  std::map<std::string, Row> backup_;
};

// One process's view of the database.
class ModelStore final : public SegmentStore {
 public:
  // `on_leased` hears of every lease whose answer reached the process.
  ModelStore(ModelDatabase& database, std::function<void(std::string_view, IdRange)> on_leased)
      : database_(database), on_leased_(std::move(on_leased)) {}

  Result<IdRange> lease(std::string_view tag, std::int64_t count_ids) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<std::vector<SegmentRow>> list() override;
  Status create(std::string_view tag, std::int64_t step) override;
  Status set_step(std::string_view tag, std::int64_t step) override;
  Status advance(std::string_view tag, std::int64_t max_id) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;

 private:
  // Runs the one statement of a call with the faults around it.
  template <typename T, typename Statement>
  Result<T> call(Statement statement);

  ModelDatabase& database_;
  std::function<void(std::string_view, IdRange)> on_leased_;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_SIM_MODEL_STORE_H_
