// SPDX-License-Identifier: MIT
#include "server/ops/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <utility>

#include "featherid/version.h"

namespace featherid {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

using Tags = std::vector<TagStats>;
using TagsByLabel = std::map<std::string, Tags>;

template <typename Duration>
double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

MetricFamily family(MetricType type, const char* name, const char* help) {
  MetricFamily family;
  family.name = std::string("featherid_") + name;
  family.help = help;
  family.type = type;
  return family;
}

void add(MetricFamily* family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (family->type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family->metric.push_back(std::move(metric));
}

MetricFamily single(MetricType type, const char* name, const char* help, double value) {
  MetricFamily result = family(type, name, help);
  add(&result, {}, value);
  return result;
}

// `counts` has one place for each bound, and one more for values above all of them.
template <typename Bounds, typename Counts>
void add_histogram(MetricFamily* family, Labels labels, const Bounds& bounds, const Counts& counts,
                   double sum_seconds) {
  ClientMetric metric;
  metric.label = std::move(labels);
  ClientMetric::Histogram& histogram = metric.histogram;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    histogram.sample_count += static_cast<std::uint64_t>(counts[i]);
    const double bound =
        i < bounds.size() ? seconds(bounds[i]) : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum = sum_seconds;
  family->metric.push_back(std::move(metric));
}

// --- tags ---

double survivable_seconds(const Tags& tags) {
  double least = std::numeric_limits<double>::infinity();
  for (const TagStats& tag : tags) least = std::min(least, survivable_seconds(tag));
  return least;
}

// `combine` makes one value of those of the tags that share a label. None is below 0.
template <typename Value, typename Combine>
MetricFamily by_tag(const TagsByLabel& tags, MetricType type, const char* name, const char* help,
                    Value value, Combine combine) {
  MetricFamily result = family(type, name, help);
  for (const auto& [label, group] : tags) {
    double combined = 0;
    for (const TagStats& tag : group) combined = combine(combined, static_cast<double>(value(tag)));
    add(&result, {{"tag", label}}, combined);
  }
  return result;
}

// Only of tags with a time floor.
void append_leads(const TagsByLabel& tags, std::vector<MetricFamily>* families) {
  MetricFamily leads =
      family(MetricType::Gauge, "floor_lead_seconds",
             "How far the tag was ahead of its time floor when its row was read last.");
  MetricFamily most = family(MetricType::Gauge, "floor_lead_max_seconds",
                             "How far a tag with a time floor may be ahead of it.");
  for (const auto& [label, group] : tags) {
    for (const TagStats& tag : group) {
      if (tag.floor_rate == 0 || label == kOtherTags) continue;
      add(&leads, {{"tag", label}}, tag.floor_lead_seconds);
      add(&most, {{"tag", label}}, seconds(tag.floor_lead_max));
    }
  }
  if (leads.metric.empty()) return;
  families->push_back(std::move(leads));
  families->push_back(std::move(most));
}

void append_tags(const TagsByLabel& tags, std::vector<MetricFamily>* families) {
  const auto sum = [&](MetricType type, const char* name, const char* help, auto value) {
    families->push_back(by_tag(tags, type, name, help, value, std::plus<>()));
  };
  const auto largest = [&](const char* name, const char* help, auto value) {
    families->push_back(by_tag(tags, MetricType::Gauge, name, help, value,
                               [](double a, double b) { return std::max(a, b); }));
  };
  sum(MetricType::Counter, "ids_issued_total", "Ids handed out.",
      [](const TagStats& tag) { return tag.issued_ids; });
  sum(MetricType::Gauge, "ids_held", "Ids leased and not yet handed out.",
      [](const TagStats& tag) { return tag.held_ids; });
  sum(MetricType::Gauge, "burn_ids_per_second", "Mean number of ids handed out per second.",
      [](const TagStats& tag) { return tag.burn_ids_per_second; });
  sum(MetricType::Counter, "waits_total",
      "Attempts to take ids that found none in memory. A request that waits makes two or more.",
      [](const TagStats& tag) { return tag.waits; });
  sum(MetricType::Counter, "leases_total", "Leases that the store granted.",
      [](const TagStats& tag) { return tag.leases; });
  sum(MetricType::Counter, "lease_failures_total", "Leases that failed.",
      [](const TagStats& tag) { return tag.lease_failures; });
  sum(MetricType::Gauge, "tags_stopped", "Tags that stopped because their store went backwards.",
      [](const TagStats& tag) { return tag.last_error.code() == StatusCode::kDataLoss; });
  // A tag that was removed is near no end.
  const auto max_id = [](const TagStats& tag) {
    return tag.last_error.code() == StatusCode::kNotFound ? 0 : tag.max_id;
  };
  largest("max_id", "The highest id that any process has leased, as far as this one knows.",
          max_id);
  largest("cap_used_ratio", "The share of its cap (without one, of 2^63) that the tag has leased.",
          [max_id](const TagStats& tag) {
            return static_cast<double>(max_id(tag)) / static_cast<double>(tag.cap);
          });

  append_leads(tags, families);

  MetricFamily survivable =
      family(MetricType::Gauge, "outage_survivable_seconds",
             "How long ids last without the store: ids held / burn rate, of the worst tag.");
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [label, group] : tags) {
    const double of_group = survivable_seconds(group);
    add(&survivable, {{"tag", label}}, of_group);
    least = std::min(least, of_group);
  }
  families->push_back(std::move(survivable));
  families->push_back(single(MetricType::Gauge, "outage_survivable_min_seconds",
                             "The smallest featherid_outage_survivable_seconds of all tags.",
                             least));
}

// --- protocols ---

// How the metrics of a protocol are named.
struct ProtocolNames {
  const char* requests;
  const char* requests_help;
  const char* took;
  const char* took_help;
  const char* accepted;
  const char* connections;
  const char* parked;
  const char* parked_help;
  const char* route_label;
  const char* kind_label;
};

constexpr ProtocolNames kHttp = {
    "http_requests_total",
    "Requests answered, by HTTP status.",
    "http_request_duration_seconds",
    "Time from a request's last byte to its answer, including waits.",
    "http_connections_accepted_total",
    "http_connections",
    "http_parked_requests",
    "Requests that wait for ids or for the store.",
    "route",
    "status",
};

constexpr ProtocolNames kResp = {
    "resp_commands_total",
    "Commands of the Redis protocol answered: OK, or the first word of the error.",
    "resp_command_duration_seconds",
    "Time from a command's last byte to its answer, including waits.",
    "resp_connections_accepted_total",
    "resp_connections",
    "resp_parked_commands",
    "Commands of the Redis protocol that wait for ids or for the store.",
    "command",
    "result",
};

void append_protocol(const ProtocolNames& names, const ProtocolStats& stats,
                     std::vector<MetricFamily>* families) {
  MetricFamily requests = family(MetricType::Counter, names.requests, names.requests_help);
  MetricFamily took = family(MetricType::Histogram, names.took, names.took_help);
  for (const ProtocolStats::Route& route : stats.routes) {
    const std::string label = route.name.empty() ? "(other)" : route.name;
    for (const auto& [kind, count] : route.stats.answers) {
      const std::string name = stats.kinds.empty()
                                   ? std::to_string(kind)
                                   : std::string(stats.kinds[static_cast<std::size_t>(kind)]);
      add(&requests, {{names.route_label, label}, {names.kind_label, name}},
          static_cast<double>(count));
    }
    add_histogram(&took, {{names.route_label, label}}, RouteStats::kBounds, route.stats.took,
                  seconds(route.stats.took_sum));
  }
  families->push_back(std::move(requests));
  families->push_back(std::move(took));
  families->push_back(single(MetricType::Counter, names.accepted, "Accepted connections.",
                             static_cast<double>(stats.accepted)));
  families->push_back(
      single(MetricType::Gauge, names.connections, "Open connections.", stats.connections));
  families->push_back(single(MetricType::Gauge, names.parked, names.parked_help, stats.parked));
}

}  // namespace

double survivable_seconds(const TagStats& tag) {
  // A tag that was removed or has ended has no ids with a store either. One of strict order never
  // holds any.
  const StatusCode code = tag.last_error.code();
  const bool excepted =
      tag.strict || code == StatusCode::kNotFound || code == StatusCode::kExhausted;
  if (tag.held_ids <= 0 && !excepted) return 0;
  if (excepted || tag.burn_ids_per_second <= 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(tag.held_ids) / tag.burn_ids_per_second;
}

Metrics::Metrics(std::size_t tags_max, std::function<MetricsSnapshot()> take_snapshot)
    : tags_max_(tags_max), take_snapshot_(std::move(take_snapshot)) {}

std::map<std::string, std::vector<TagStats>> Metrics::by_label(std::vector<TagStats> tags) {
  std::map<std::string, std::vector<TagStats>> groups;
  const MutexLock lock(mutex_);
  for (TagStats& tag : tags) {
    if (labels_.size() < tags_max_ && tag.tag != kOtherTags) labels_.insert(tag.tag);
    const bool own = labels_.count(tag.tag) > 0;
    groups[own ? tag.tag : kOtherTags].push_back(std::move(tag));
  }
  return groups;
}

std::string Metrics::text(bool store_up, int own_parked) {
  MetricsSnapshot now = take_snapshot_();
  now.http.parked = std::max(0, now.http.parked - own_parked);
  std::vector<MetricFamily> families;
  MetricFamily build = family(MetricType::Gauge, "build_info", "1, for the version that runs.");
  add(&build, {{"version", FEATHERID_VERSION}}, 1);
  families.push_back(std::move(build));
  append_tags(by_label(std::move(now.tags)), &families);
  MetricFamily leases = family(MetricType::Histogram, "lease_duration_seconds",
                               "Time that the store took for a lease, including failed ones.");
  add_histogram(&leases, {}, LeaseLatency::kBounds, now.lease_latency.counts,
                seconds(now.lease_latency.sum));
  families.push_back(std::move(leases));
  families.push_back(single(MetricType::Gauge, "store_up",
                            "1 if the store answers and grants leases, else 0.", store_up));
  append_protocol(kHttp, now.http, &families);
  if (now.resp) append_protocol(kResp, *now.resp, &families);
  if (now.certificate_end.count() != 0) {
    families.push_back(single(MetricType::Gauge, "tls_certificate_expiry_timestamp_seconds",
                              "When the TLS certificate or its chain expires, in Unix time.",
                              seconds(now.certificate_end)));
  }
  MetricFamily dropped =
      family(MetricType::Counter, "log_lines_dropped_total", "Log lines that were not written.");
  add(&dropped, {{"reason", "queue_full"}}, static_cast<double>(now.log_lines_overrun));
  add(&dropped, {{"reason", "not_writable"}}, static_cast<double>(now.log_lines_lost));
  families.push_back(std::move(dropped));

  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

}  // namespace featherid
