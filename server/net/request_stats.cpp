// SPDX-License-Identifier: MIT
#include "server/net/request_stats.h"

namespace featherid {

RequestStats::RequestStats(std::size_t routes, std::size_t kinds) : routes_(routes) {
  for (Route& route : routes_) route.answers = std::vector<Counter>(kinds);
}

void RequestStats::note(std::size_t route, std::size_t kind, std::chrono::nanoseconds took) {
  std::size_t bucket = 0;  // a scan, because nearly every answer is below the first bounds
  while (bucket < RouteStats::kBounds.size() && took > RouteStats::kBounds[bucket]) ++bucket;
  Route& counts = routes_[route];
  counts.answers[kind].add(1);
  counts.took[bucket].add(1);
  counts.took_ns.add(static_cast<std::uint64_t>(took.count()));
}

void RequestStats::add_to(std::vector<RouteStats>* sums) const {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const Route& route = routes_[i];
    RouteStats& sum = (*sums)[i];
    for (std::size_t kind = 0; kind < route.answers.size(); ++kind) {
      if (const std::uint64_t count = route.answers[kind].value(); count > 0) {
        sum.answers[static_cast<int>(kind)] += count;
      }
    }
    for (std::size_t bucket = 0; bucket < sum.took.size(); ++bucket) {
      sum.took[bucket] += route.took[bucket].value();
    }
    sum.took_sum += std::chrono::nanoseconds(route.took_ns.value());
  }
}

}  // namespace featherid
