// SPDX-License-Identifier: MIT
#include "test/proof/sim/scale/backend.h"

#include <algorithm>

namespace featherid::sim {

Backend::Backend(const BackendOptions& options)
    : options_(options), lines_(static_cast<std::size_t>(std::max(1, options.servers))) {}

int Backend::Line::length(Seconds now) {
  while (!leave.empty() && leave.front() <= now) leave.pop_front();
  return static_cast<int>(leave.size());
}

Answer Backend::lease(Seconds now) {
  return options_.servers > 0 ? ask_servers(now) : ask_database(now);
}

Answer Backend::refuse(Seconds now) {
  ++refused_;
  return {now + options_.round_trip, false};
}

Answer Backend::ask_database(Seconds now) {
  Line& line = lines_.front();
  const int under_way = line.length(now);
  if (options_.connections_max > 0 && under_way >= options_.connections_max) return refuse(now);
  under_way_most_ = std::max(under_way_most_, under_way + 1);
  const Seconds given_up = now + options_.call_timeout;
  const Seconds done = std::max(line.free_at, now) + 1 / options_.leases_per_second_max;
  const bool late = done + options_.round_trip > given_up;
  if (!late || !options_.drops_late) line.free_at = done;
  line.leave.push_back(late && options_.drops_late ? given_up : done);
  if (!late) return {done + options_.round_trip, true};
  ++timed_out_;
  return {given_up, false};
}

// Each server gets its share of the database, whatever it asks for at once.
Answer Backend::ask_servers(Seconds now) {
  const Seconds each = std::max(options_.servers / options_.leases_per_second_max,
                                options_.round_trip / options_.server_calls);
  int under_way = 0;
  for (Line& line : lines_) under_way += line.length(now);
  for (std::size_t tried = 0; tried < lines_.size(); ++tried) {
    Line& line = lines_[next_server_++ % lines_.size()];
    if (line.length(now) >= options_.server_waiting) continue;  // the process asks the next one
    under_way_most_ = std::max(under_way_most_, under_way + 1);
    const Seconds begun = std::max(line.free_at, now);
    if (begun > now + options_.request_timeout) {
      ++timed_out_;
      line.leave.push_back(now + options_.request_timeout);
      return {now + options_.request_timeout + options_.round_trip, false};
    }
    line.free_at = begun + each;
    line.leave.push_back(line.free_at);
    return {line.free_at + 2 * options_.round_trip, true};
  }
  return refuse(now);
}

}  // namespace featherid::sim
