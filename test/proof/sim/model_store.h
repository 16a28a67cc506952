// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_MODEL_STORE_H_
#define FEATHERID_TEST_PROOF_SIM_MODEL_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "featherid/segment_store.h"
#include "test/proof/sim/books.h"
#include "test/proof/sim/period_model.h"
#include "test/proof/sim/random.h"
#include "test/proof/sim/scheduler.h"

namespace featherid::sim {

// Which faults a run has. Their times are drawn.
struct Faults {
  bool before_commit = false;  // a call fails and nothing happened
  bool after_commit = false;   // a call fails and it happened
  bool late = false;           // an answer takes seconds
  bool never = false;          // a call hangs, before or after its commit, until heal()
  bool outage = false;         // every call fails, for a while
  bool backwards = false;      // the last commits are forgotten
  bool small_leases = false;   // a lease grants fewer ids than were asked for
  // Tags change: step, max_id forward, cap, order, removed and created again.
  bool operators = false;
  bool clocks = false;  // the database's clock and those of the processes differ, drift and jump
};

// The database that all simulated processes share: a plain map of rows, and the record of what was
// committed. A statement runs on a fiber of the database, so it may commit after the process that
// sent it has died.
class ModelDatabase {
 public:
  // `of_periods`: randomness of its own, so that the runs without such a tag stay as they are.
  ModelDatabase(Random& random, Random& of_periods, Scheduler& scheduler, Ledger& ledger)
      : periods(of_periods, scheduler, ledger),
        random_(random),
        scheduler_(scheduler),
        ledger_(ledger) {}

  PeriodModel periods;

  struct Row {
    std::int64_t max_id = 0;
    std::int64_t step = 0;
    std::int64_t cap = kIdMax;
    TagOrder order = TagOrder::kPlain;
    TimeFloor floor = {};
    // Of a tag with a floor: when the last lease was made, and with which lead, by the database's
    // clock. If the row goes back, no lease is made before the clock has passed both: an operator
    // waits for that. (Or a failover follows, which requires only that the clock has not gone
    // back.)
    WallTime leased_at = {};
    WallTime lead_until = {};
    bool was_lost = false;
  };
  // What stays of a tag when its row is removed, and the numbers of its last changes.
  struct Record {
    std::int64_t version = 0;
    std::int64_t recalled = 0;
    std::int64_t removed_max_id = 0;
  };
  static constexpr int kGroup = -1;              // of its fibers
  static constexpr std::int64_t kStepMax = 200;  // of a row that can be served

  std::map<std::string, Row> rows;
  std::map<std::string, Record> records;
  std::int64_t version = 0;  // of the newest record
  Faults faults;

  // How many ids a lease of `size` gets.
  std::int64_t grant(LeaseSize size);

  // The database's clock, and that of a process which differs from it by `ahead`.
  WallTime clock() const;
  WallTime own_clock(std::chrono::milliseconds ahead) const;
  std::chrono::milliseconds draw_clock();
  Result<IdRange> lease(const std::string& tag, LeaseSize size, WallTime own);
  SegmentRow read(const std::string& tag, const Row& row) const;

  // Causes an event in the rows or the database that the faults allow.
  void disturb();
  // Ends all faults. Rows are fixed and hanging calls continue.
  void heal(const std::vector<std::string>& tags);

  // Sends a statement and waits for its answer. `books` records trouble on the way.
  template <typename T>
  Result<T> call(Books& books, std::function<Result<T>()> statement);

  std::int64_t rewinds() const { return rewinds_; }
  // How often a tag with a floor lost leases. None of their ids may come again.
  std::int64_t losses() const { return losses_; }
  // Whether the row ever had a step of 0, or the clock was ever too far ahead for a lease of it.
  bool was_unservable(const std::string& tag) const { return unservable_.count(tag) > 0; }

 private:
  // Lets some time pass, or a lot.
  void pause(Books& books);
  void move_clock();
  void set_floor(const std::string& tag, Row& row);
  static bool has_promise(const Row& row);
  void lose_some();
  // The row of a tag with a floor loses its last leases.
  void lose(const std::string& tag, Row& row, std::int64_t old_max_id);
  void change_row();
  void change_cap(const std::string& tag, Row& row);
  void change_order(const std::string& tag, Row& row);
  void create_again(const std::string& tag);
  void remove_row(const std::string& tag);
  void trace(const std::string& what);

  Random& random_;
  Scheduler& scheduler_;
  Ledger& ledger_;
  std::map<std::string, Row> backup_;
  std::map<std::string, Row> removed_;
  std::set<std::string> unservable_;
  bool out_ = false;  // an outage is on
  std::chrono::milliseconds clock_ahead_{0};
  double clock_drift_ = 0;
  std::int64_t rewinds_ = 0;
  std::int64_t losses_ = 0;
};

// One process's view of the database.
class ModelStore final : public SegmentStore {
 public:
  // Both must outlive every fiber of the process.
  ModelStore(ModelDatabase& database, Books& books, PeriodBook& period_book)
      : database_(database),
        books_(books),
        period_book_(period_book),
        clock_ahead_(database.draw_clock()),
        period_clock_ahead_(database.periods.draw_own_clock()) {}

  // The process has died. No call reaches the database from now on.
  void sever() { severed_ = true; }

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;
  Result<TagChanges> changes(std::int64_t version) override;

 private:
  Result<SegmentRow> find_periods();

  ModelDatabase& database_;
  Books& books_;
  PeriodBook& period_book_;
  const std::chrono::milliseconds clock_ahead_;  // of the database's, while that is right
  const std::chrono::milliseconds period_clock_ahead_;
  bool severed_ = false;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_MODEL_STORE_H_
