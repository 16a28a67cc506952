// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_METRICS_H_
#define FEATHERID_SERVER_OPS_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "featherid/segment_allocator.h"
#include "lib/base/mutex.h"
#include "server/net/request_stats.h"

namespace featherid {

// How long the tag can be served from memory at the current rate; perhaps infinity, which includes
// a tag that is not meant to be served from memory.
double survivable_seconds(const TagStats& tag);

// What the metrics report, at one moment.
struct MetricsSnapshot {
  std::vector<TagStats> tags;
  LeaseLatency lease_latency;
  ProtocolStats http;
  std::optional<ProtocolStats> resp;        // the Redis protocol, if the server speaks it
  std::chrono::seconds certificate_end{0};  // see certificate_end()
  std::int64_t log_lines_overrun = 0;       // dropped because the writer fell behind
  std::int64_t log_lines_lost = 0;  // dropped because a file or standard error did not accept it
};

// The value of the label `tag` for the tags that have no label of their own.
constexpr const char* kOtherTags = "(other)";

// Writes the metrics in Prometheus' text format. The first `tags_max` tags get their own labels and
// keep them, so that no counter ever falls. The others are summed as kOtherTags, together with a
// tag that really has that name. Thread-safe.
class Metrics {
 public:
  Metrics(std::size_t tags_max, std::function<MetricsSnapshot()> take_snapshot);

  // `store_up`: whether the store grants leases. `own_parked`: requests that wait for this text,
  // and so do not count as parked.
  std::string text(bool store_up, int own_parked = 0) EXCLUDES(mutex_);

 private:
  std::map<std::string, std::vector<TagStats>> by_label(std::vector<TagStats> tags)
      EXCLUDES(mutex_);

  const std::size_t tags_max_;
  const std::function<MetricsSnapshot()> take_snapshot_;

  Mutex mutex_;
  std::set<std::string> labels_ GUARDED_BY(mutex_);  // tags with their own label
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_METRICS_H_
