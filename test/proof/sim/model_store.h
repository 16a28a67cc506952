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
};

// The database that all simulated processes share: a plain map of rows, and the record of what was
// committed. A statement runs on a fiber of the database, so it may commit after the process that
// sent it has died.
class ModelDatabase {
 public:
  ModelDatabase(Random& random, Scheduler& scheduler, Ledger& ledger)
      : random_(random), scheduler_(scheduler), ledger_(ledger) {}

  struct Row {
    std::int64_t max_id = 0;
    std::int64_t step = 0;
    std::int64_t cap = kIdMax;
    TagOrder order = TagOrder::kPlain;
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

  // Causes an event in the rows or the database that the faults allow.
  void disturb();
  // Ends all faults. Rows are fixed and hanging calls continue.
  void heal(const std::vector<std::string>& tags);

  // Sends a statement and waits for its answer. `books` records trouble on the way.
  template <typename T>
  Result<T> call(Books& books, std::function<Result<T>()> statement);

  std::int64_t rewinds() const { return rewinds_; }
  // Whether the row ever had a step of 0.
  bool was_unservable(const std::string& tag) const { return unservable_.count(tag) > 0; }

 private:
  // Lets some time pass, or a lot.
  void pause(Books& books);
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
  std::set<std::string> unservable_;
  bool out_ = false;  // an outage is on
  std::int64_t rewinds_ = 0;
};

// One process's view of the database.
class ModelStore final : public SegmentStore {
 public:
  // Both must outlive every fiber of the process.
  ModelStore(ModelDatabase& database, Books& books) : database_(database), books_(books) {}

  // The process has died. No call reaches the database from now on.
  void sever() { severed_ = true; }

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;
  Result<TagChanges> changes(std::int64_t version) override;

 private:
  ModelDatabase& database_;
  Books& books_;
  bool severed_ = false;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_MODEL_STORE_H_
