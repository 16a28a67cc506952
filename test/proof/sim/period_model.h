// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_PERIOD_MODEL_H_
#define FEATHERID_TEST_PROOF_SIM_PERIOD_MODEL_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/segment_store.h"
#include "lib/store/tag_record.h"
#include "test/proof/sim/books.h"
#include "test/proof/sim/random.h"
#include "test/proof/sim/scheduler.h"

namespace featherid::sim {

// The tag with periods of the simulated database: its rows, and the clock that decides which day it
// is. The clock jumps, often to shortly before midnight. Failovers lose the last leases, and rows.
// It follows the same rules as every store (lib/store/period_rules.h).
class PeriodModel {
 public:
  static constexpr const char* kTag = "daily";
  static constexpr PeriodRule kRule{PeriodKind::kDay, 90};
  // Ids that a failover may lose of a row, and skips.
  static constexpr std::int64_t kLostMax = 100000;

  PeriodModel(Random& random, Scheduler& scheduler, Ledger& ledger)
      : random_(random), scheduler_(scheduler), ledger_(ledger) {}

  // Not every run has such a tag.
  void turn_on();
  bool is_on() const { return on_; }

  WallTime clock() const;
  // How far a process's clock is ahead of the database's, while that is right.
  std::chrono::milliseconds draw_own_clock();
  WallTime own_clock(std::chrono::milliseconds ahead) const;

  SegmentRow read() const;
  Result<IdRange> lease(const Period& period, LeaseSize size, WallTime own);
  bool give_back(const Period& period, IdRange tail);

  void disturb();
  void heal();

  Instant jumped_at() const { return jumped_at_; }  // of the clock, last
  // Whether leases were ever refused because of the clocks.
  bool was_unservable() const { return unservable_; }
  std::int64_t days() const { return days_; }  // that were begun

 private:
  struct Rows {
    std::map<int, std::int64_t> max_ids;  // by number()
    std::map<int, Period> periods;
    TagRecord record;
  };

  Status make_row(const Period& period, WallTime own);
  void jump(std::chrono::milliseconds by);
  void fail_over();
  void trace(const std::string& what) const;

  Random& random_;
  Scheduler& scheduler_;
  Ledger& ledger_;
  bool on_ = false;
  bool healed_ = false;
  bool unservable_ = false;
  std::int64_t step_ = 1;
  WallTime started_at_{};
  std::chrono::milliseconds ahead_{0};
  WallTime latest_{};
  Instant jumped_at_{};
  Rows rows_;
  Rows backup_;
  std::int64_t failovers_ = 0;
  std::int64_t days_ = 0;
};

// What one process was leased of the tag, and handed out of it.
class PeriodBook {
 public:
  explicit PeriodBook(Ledger& ledger) : ledger_(ledger) {}

  // The row was read between the two times, and the clock said `read_at`.
  void read(WallTime read_at, Instant asked, Instant answered);
  void leased(const Period& period, IdRange range);
  void gives_back(const Period& period, IdRange tail);
  // A call returns these ids now. `clock`: the database's.
  void handed_out(const PeriodRanges& ids, Instant now, const PeriodModel& model);

 private:
  struct Read {
    WallTime at;
    Instant asked;
    Instant answered;
    bool allows(const Period& period, Instant now) const;
  };
  void violation(const std::string& what, const Period& period);

  Ledger& ledger_;
  std::optional<Read> last_;
  std::optional<Read> before_;  // a call may have begun under it
  std::map<int, IdSet> leased_;
  std::map<int, IdSet> issued_;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_PERIOD_MODEL_H_
