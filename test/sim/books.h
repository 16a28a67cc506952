// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SIM_BOOKS_H_
#define FEATHERID_TEST_SIM_BOOKS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "featherid/id_range.h"
#include "test/sim/scheduler.h"

namespace featherid::sim {

// A set of ids, as ranges.
class IdSet {
 public:
  // False when some id of the range is in already.
  bool add(IdRange range);
  bool contains(IdRange range) const;
  void remove_from(std::int64_t first);
  // The ids without a gap that end with the last one of all; empty when there is none.
  IdRange last_run() const;

 private:
  std::map<std::int64_t, std::int64_t> ranges_;  // first -> end
};

// What has become of every series of one run, all processes together.
class Ledger {
 public:
  // Keeps the first violation.
  void violation(const std::string& what);
  const std::string& violation() const { return violation_; }

  // The row of the tag no longer knows that ids up to `max_id` are taken: no process can prevent
  // that those come again from another.
  void forgotten(const std::string& tag, std::int64_t max_id);
  bool is_doubtful(const std::string& tag, std::int64_t id) const;

  void handed_out(const std::string& tag, IdRange range);
  std::int64_t ids() const { return ids_; }

  // Is told what happens, when somebody wants to follow the run.
  std::function<void(const std::string&)> trace;

 private:
  std::string violation_;
  std::map<std::string, IdSet> issued_;
  std::map<std::string, std::int64_t> forgotten_up_to_;
  std::int64_t ids_ = 0;
};

// What one process may do. It is told everything that passes between the process's allocator, the
// store and the callers, and checks it against the promises of docs/architecture.md.
class Books {
 public:
  Books(Ledger& ledger, std::string process) : ledger_(ledger), process_(std::move(process)) {}

  // --- from the store ---

  // A call for the tag begins; of lease() and find() there is one at a time.
  void flight_begins(const std::string& tag);
  void flight_ends(const std::string& tag);
  bool in_flight() const { return flights_ > 0; }  // for any tag
  // The answer to a lease has reached the process: from here on its ids may be handed out.
  void leased(const std::string& tag, IdRange range, Instant now);
  void gives_back(const std::string& tag, IdRange tail);
  // A call fails or hangs: what happens meanwhile may cost ids.
  void trouble_begins() { ++troubles_begun_; }
  void trouble_ends() { ++troubles_ended_; }
  // Whether there was none since the moment when troubles_ended() was `ended`.
  bool no_trouble_since(std::int64_t ended) const { return troubles_begun_ == ended; }
  std::int64_t troubles_ended() const { return troubles_ended_; }
  std::int64_t leases() const { return leases_; }

  // --- from the callers ---

  // The last id handed out so far: what a call that begins now gets lies above it.
  std::int64_t floor(const std::string& tag) { return series_[tag].last_id; }
  // A call that began at `began`, with `floor` as it was then, returned these ids.
  void handed_out(const std::string& tag, const std::vector<IdRange>& ranges, std::int64_t floor,
                  Instant began);
  // One id out of a LocalBlock, which holds more of them; and order is not promised.
  void handed_out_by_block(const std::string& tag, std::int64_t id);
  // The tag answered kDataLoss.
  void refused(const std::string& tag);

  // --- questions ---

  // How many leased ids have not been handed out; none when a LocalBlock hides it, or when the tag
  // has stopped.
  std::optional<std::int64_t> held_ids(const std::string& tag);
  // What could still be given back: the ids after the last one handed out, up to the last one
  // leased.
  IdRange unused_tail(const std::string& tag);
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
    int flights = 0;
    bool blocks = false;          // LocalBlocks hold ids
    Instant stopped_at = kNever;  // it has seen the store go backwards
  };
  void violation(const std::string& what, const std::string& tag, IdRange range);
  void trace(const std::string& what, const std::string& tag, IdRange range);
  void issue(const std::string& tag, IdRange range);

  Ledger& ledger_;
  const std::string process_;
  std::map<std::string, Series> series_;
  std::int64_t troubles_begun_ = 0;
  std::int64_t troubles_ended_ = 0;
  std::int64_t leases_ = 0;
  int flights_ = 0;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_SIM_BOOKS_H_
