// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONSOLE_STATUS_JSON_H_
#define FEATHERID_SERVER_CONSOLE_STATUS_JSON_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/stats.h"
#include "server/console/samples.h"
#include "server/log/logging.h"

namespace featherid {

// The answers of the status calls as text. Pure functions.

// How ids are written: as numbers, or as texts for clients whose numbers are doubles.
enum class IdsAs { kNumber, kText };

// All tags at one moment.
struct TagTotals {
  std::size_t tags = 0;
  double ids_per_second = 0;
  std::int64_t held_ids = 0;
  std::string worst_tag;                     // the first to run out without the store
  std::optional<double> survivable_seconds;  // of the worst tag; nothing: no ids are used
  static constexpr std::size_t kShown = 10;
  std::size_t failing_count = 0;
  std::vector<TagStats> failing;  // the first few
  std::size_t ending_count = 0;   // near their cap, int32, 2^53 or 2^63, and not failing
  std::vector<TagStats> ending;   // those of which the largest share is used up
};
TagTotals total(const std::vector<TagStats>& tags);

// The server at one moment.
struct ServerStatus {
  std::chrono::system_clock::time_point now;
  std::string not_ready_because;  // empty: ready
  std::chrono::seconds uptime{0};
  TagTotals totals;
  std::optional<bool> store_up;  // nothing: not known yet
  std::string store_message;     // why it is not up
  std::string store;             // its address, without passwords
  std::string leader;            // empty: not known
  bool may_change = false;       // the client that asks
  std::string_view log_level;
  std::vector<LogLine> warnings;
  SampleSeries samples;  // of all tags
};

// When a tag's ids end at the rate of all processes. Nothing: never, or nobody knows.
std::optional<double> seconds_to_end(const TagStats& tag);

std::string tag_json(const TagStats& tag, IdsAs as, std::chrono::system_clock::time_point now);
std::string series_json(const SampleSeries& series);
std::string status_json(const ServerStatus& status, IdsAs as);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONSOLE_STATUS_JSON_H_
