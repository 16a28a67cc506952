// SPDX-License-Identifier: MIT
#ifndef FEATHERID_STATS_H_
#define FEATHERID_STATS_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "featherid/id_range.h"
#include "featherid/status.h"

namespace featherid {

// The figures of a tag in this process so far.
struct TagStats {
  std::string tag;
  std::int64_t issued_ids = 0;
  std::int64_t held_ids = 0;  // leased and not yet issued
  std::int64_t returned_ids = 0;
  double burn_ids_per_second = 0;  // a mean over one hold, up to now
  std::int64_t leases = 0;
  std::int64_t lease_failures = 0;
  std::int64_t waits = 0;  // calls that found no id in memory, unless the order is strict
  std::chrono::microseconds last_lease_latency{0};
  std::int64_t cap = kIdMax;         // as it was last read
  bool strict = false;               // likewise: its order is strict, so nothing is held
  std::int64_t max_id = 0;           // the highest max_id of the row that this process knows
  double series_ids_per_second = 0;  // leased by all processes, a mean over the last hour or two
  // Of a tag with a time floor, as it was last read. Rate 0: it has none.
  std::int64_t floor_rate = 0;  // ids per second
  std::chrono::seconds floor_lead_max{0};
  double floor_lead_seconds = 0;  // how far max_id was ahead of the floor; negative: behind
  std::string period;  // the present one, as text. Empty: the tag has none, or it is not known
  Status last_error;   // of the last lease; OK once one succeeds
};

// How long the store took for leases, over all tags and including failed leases.
struct LeaseLatency {
  static constexpr std::array<std::chrono::microseconds, 12> kBounds{
      std::chrono::microseconds(250), std::chrono::microseconds(500),
      std::chrono::milliseconds(1),   std::chrono::milliseconds(2),
      std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
      std::chrono::milliseconds(25),  std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::seconds(5)};

  // counts[i]: the leases that took longer than kBounds[i - 1], and at most kBounds[i]. The last
  // one: the leases that took longer than every bound.
  std::array<std::int64_t, kBounds.size() + 1> counts{};
  std::chrono::microseconds sum{0};
};

}  // namespace featherid

#endif  // FEATHERID_STATS_H_
