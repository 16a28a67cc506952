// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_LEDGER_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_LEDGER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/period.h"
#include "test/support/real_time_order.h"
#include "test/system/campaign/engine.h"
#include "test/system/campaign/note.h"

namespace featherid::campaign {

// All acknowledged ids as ranges, and their exact check. Of a tag with periods each period is a
// series of its own, as in the database.
class Ledger {
 public:
  using Periods = std::map<std::string, PeriodRule>;  // by tag
  explicit Ledger(Periods periods);

  // All notes of a process, each thread's in its own order.
  void add(const std::string& process, const std::vector<std::string>& tags,
           const std::vector<Note>& notes);

  struct Verdict {
    std::int64_t ids = 0;  // acknowledged
    std::int64_t duplicates = 0;
    std::int64_t outside_leases = 0;
    std::int64_t out_of_order = 0;
    std::int64_t strict_calls = 0;  // that were checked for strict order
    std::int64_t out_of_strict_order = 0;
    std::map<std::string, std::set<std::int32_t>> periods;  // of the ids, by tag
    std::int64_t early = 0;      // answered before their period had begun
    std::int64_t late = 0;       // asked for more than a second after it had ended
    std::int64_t latest_us = 0;  // the latest answer after the end of its period
    std::int64_t leases = 0;
    std::int64_t wasted = 0;            // leased, perhaps more than once, but never acknowledged
    std::vector<std::string> examples;  // the first few of each violation, with the owners
  };
  // `moves` as Engine::moves(). A move up by more than the largest lease is an operator's, not a
  // lease, unless the tags have time floors, which raise it.
  Verdict check(const std::vector<Move>& moves, bool raised);
  // Before check(): the ids of kStrictTag must be in strict order.
  void check_strict_order();

 private:
  // The last ids of a tag that a thread got.
  struct Last {
    std::int64_t id = 0;
    std::int32_t period = 0;
  };
  struct Owned {
    IdRange ids;
    std::uint32_t owner;  // index in owners_
  };
  void note_order(const std::string& owner, const std::string& row, Last& last, const Note& note);
  void note_time(const std::string& owner, const std::string& tag, const Note& note);
  std::int64_t note_clock_us(WallTime moment) const;  // by the clock of the notes
  void find_duplicates(const std::string& tag, const std::vector<Owned>& sorted);
  void find_outside(const std::string& tag, const std::vector<Owned>& sorted,
                    const std::vector<IdRange>& leases);
  void example(const std::string& text);

  const Periods periods_;
  const std::int64_t clock_behind_us_;                // that of the notes, behind the calendar
  std::map<std::string, std::vector<Owned>> by_tag_;  // by the name of the row
  std::vector<test::TimedIds> strict_;
  std::vector<std::string> owners_;  // "server-0 life 2 client 1"
  Verdict verdict_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_LEDGER_H_
