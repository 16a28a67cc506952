// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_BOOKS_H_
#define FEATHERID_TEST_PROOF_SIM_BOOKS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "featherid/id_range.h"
#include "lib/segment/refill_policy.h"
#include "test/proof/sim/scheduler.h"

namespace featherid::sim {

// A set of ids, as ranges.
class IdSet {
 public:
  // False if some id of the range is already in the set.
  bool add(IdRange range);
  bool contains(IdRange range) const;
  void remove_from(std::int64_t first);
  std::int64_t count_below(std::int64_t id) const;
  std::int64_t largest_range_from(std::int64_t id) const;
  // The ids without a gap up to the last one of all. Empty if there are none.
  IdRange last_run() const;

 private:
  std::map<std::int64_t, std::int64_t> ranges_;  // first -> end
};

// The record of every series of one run, over all processes.
class Ledger {
 public:
  // Keeps the first violation.
  void violation(const std::string& what);
  const std::string& violation() const { return violation_; }

  // The tag's row no longer knows that ids up to `max_id` are taken. No process can prevent another
  // from handing them out again.
  void forgotten(const std::string& tag, std::int64_t max_id);
  bool is_doubtful(const std::string& tag, std::int64_t id) const;

  void handed_out(const std::string& tag, IdRange range);
  std::int64_t ids() const { return ids_; }

  // Strict order. The change number `version` made the tag strict, or plain (kNever).
  void becomes_strict(const std::string& tag, std::int64_t version);
  void becomes_plain(const std::string& tag) { strict_.erase(tag); }
  // Calls that begin after `now` get their ids in strict order, if every process knows the change.
  void note_strict(const std::function<bool(std::int64_t version)>& all_know, Instant now);
  // The highest id that any process has handed out so far.
  std::int64_t floor(const std::string& tag) { return highest_[tag]; }
  // A call that began at `began`, with `floor` as it was then, returned these ids.
  void check_strict(const std::string& tag, IdRange range, std::int64_t floor, Instant began);
  std::int64_t strict_calls() const { return strict_calls_; }

  // Called with each event if somebody follows the run.
  std::function<void(const std::string&)> trace;

 private:
  std::string violation_;
  std::map<std::string, IdSet> issued_;
  std::map<std::string, std::int64_t> forgotten_up_to_;
  std::int64_t ids_ = 0;
  struct Strict {
    std::int64_t version;    // of the change
    Instant holds = kNever;  // from then on
  };
  std::map<std::string, Strict> strict_;
  std::map<std::string, std::int64_t> highest_;
  std::int64_t strict_calls_ = 0;
};

// What one process may do. It records everything between the process's allocator, the store and the
// callers, and checks it against the promises of docs/architecture.md.
class Books {
 public:
  Books(Ledger& ledger, std::string process) : ledger_(ledger), process_(std::move(process)) {}

  // --- from the store ---

  // A call for the tag begins. Only one lease() or find() runs at a time.
  void flight_begins(const std::string& tag);
  void flight_ends(const std::string& tag);
  bool in_flight() const { return flights_ > 0; }  // for any tag
  // How the store answered the last call for a tag. If it failed, all tags may pause.
  void answered(const Status& status) { last_call_failed_ = is_transient(status); }
  bool last_call_failed() const { return last_call_failed_; }
  // The answer to a lease has reached the process. Its ids may be handed out from now on.
  void leased(const std::string& tag, IdRange range, Instant now);
  void gives_back(const std::string& tag, IdRange tail);
  // The process knows that the tag has a time floor, so it drops what gets old.
  void has_floor(const std::string& tag);
  // The process has been told to drop what it holds of the tag if some of it is above `max_id`.
  void limited(const std::string& tag, std::int64_t max_id, Instant now);
  // The row of the tag says strict order. Then what is held is none of the books' business.
  void saw_strict(const std::string& tag) { series_[tag].strict = true; }
  // The process has been told of all changes up to this one.
  void told(std::int64_t version) { told_ = version; }
  std::int64_t told() const { return told_; }
  // A call fails or hangs. Ids may be lost meanwhile.
  void trouble_begins() { ++troubles_begun_; }
  void trouble_ends() { ++troubles_ended_; }
  // Whether there was none since troubles_ended() was `ended`.
  bool no_trouble_since(std::int64_t ended) const { return troubles_begun_ == ended; }
  std::int64_t troubles_ended() const { return troubles_ended_; }
  std::int64_t leases() const { return leases_; }

  // --- from the callers ---

  // A call that begins. It gets ids above those that were handed out before.
  struct Call {
    Instant began;
    std::int64_t floor;             // the last id of this process
    std::int64_t floor_of_all = 0;  // of all processes
  };
  Call call_begins(const std::string& tag, Instant now) {
    return {now, series_[tag].last_id, ledger_.floor(tag)};
  }
  // The call returned these ids.
  void handed_out(const std::string& tag, const std::vector<IdRange>& ranges, Call call);
  // Likewise, for consecutive ids. What the process held below them is given up.
  void handed_out_consecutive(const std::string& tag, const std::vector<IdRange>& ranges,
                              const Call& call);
  // Likewise: none of these ids was leased longer ago than `old_after`, unless calls failed since.
  void check_age(const std::string& tag, const std::vector<IdRange>& ranges, Instant now,
                 Span old_after);
  // One id from a LocalBlock, which holds more. Plain order is not promised.
  void handed_out_by_block(const std::string& tag, std::int64_t id, const Call& call);
  // The tag answered kDataLoss.
  void refused(const std::string& tag);

  // --- questions ---

  // How many leased ids have not been handed out. Nothing if a LocalBlock hides it or the tag has
  // stopped.
  std::optional<std::int64_t> held_ids(const std::string& tag);
  // The most of these ids that are consecutive.
  std::int64_t largest_held_range(const std::string& tag);
  // What could still be given back: the ids after the last one handed out, to the last one leased.
  IdRange unused_tail(const std::string& tag);
  // Whether it may have had to drop ids of the tag.
  bool limited(const std::string& tag) { return series_[tag].limited; }
  bool strict(const std::string& tag) { return series_[tag].strict; }
  bool stopped(const std::string& tag) { return series_[tag].stopped_at != kNever; }

 private:
  struct Series {
    IdSet leased;
    IdSet issued;
    std::int64_t leased_ids = 0;
    std::int64_t issued_ids = 0;
    std::int64_t highest_end = 1;  // of all leases
    std::int64_t last_id = 0;
    std::int64_t given_back_from = 0;
    std::int64_t given_up_below = 0;  // what is below and not handed out is no longer held
    int flights = 0;
    bool blocks = false;          // LocalBlocks hold ids
    bool limited = false;         // it may have dropped some
    bool strict = false;          // its row has said so, once
    Instant dropped_at = kNever;  // it was told to drop the ids below dropped_end
    std::int64_t dropped_end = 0;
    std::int64_t flight_limit = kIdMax;  // likewise for the lease under way, if it passes this
    Instant stopped_at = kNever;         // it has seen the store go backwards
    bool has_floor = false;
    struct Lease {
      Instant at;
      std::int64_t troubles_ended;
    };
    std::map<std::int64_t, Lease> leases;  // of a tag with a floor, by first id
  };
  void violation(const std::string& what, const std::string& tag, IdRange range);
  void trace(const std::string& what, const std::string& tag, IdRange range);
  static void drop(Series* series, Instant now);
  void issue(const std::string& tag, IdRange range);

  Ledger& ledger_;
  const std::string process_;
  std::map<std::string, Series> series_;
  bool last_call_failed_ = false;
  std::int64_t troubles_begun_ = 0;
  std::int64_t troubles_ended_ = 0;
  std::int64_t leases_ = 0;
  std::int64_t told_ = -1;
  int flights_ = 0;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_BOOKS_H_
