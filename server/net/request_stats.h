// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_REQUEST_STATS_H_
#define FEATHERID_SERVER_NET_REQUEST_STATS_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace featherid {

// The counts of one route's answers.
struct RouteStats {
  // The upper bounds of the latency buckets.
  static constexpr std::array<std::chrono::microseconds, 12> kBounds{
      std::chrono::microseconds(10),  std::chrono::microseconds(50), std::chrono::microseconds(100),
      std::chrono::microseconds(500), std::chrono::milliseconds(1),  std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(50), std::chrono::milliseconds(100),
      std::chrono::milliseconds(500), std::chrono::seconds(1),       std::chrono::seconds(5)};

  std::map<int, std::uint64_t> answers;  // by kind, such as the HTTP status
  // took[i]: answers that took up to kBounds[i] and longer than kBounds[i - 1]. The last: the rest.
  std::array<std::uint64_t, kBounds.size() + 1> took{};
  std::chrono::nanoseconds took_sum{0};
};

// The counts of a protocol, at one moment.
struct ProtocolStats {
  struct Route {
    std::string name;  // empty: requests for no route, and invalid requests
    RouteStats stats;
  };
  std::vector<Route> routes;
  std::vector<std::string_view> kinds;  // the names of the kinds of answers; none: their numbers
  std::uint64_t accepted = 0;           // connections
  int connections = 0;
  int parked = 0;  // requests
};

// Counts the answers of one event loop. Call note() from that loop's thread, and add_to() from any.
class RequestStats {
 public:
  RequestStats(std::size_t routes, std::size_t kinds);

  // `route` and `kind` are below their numbers.
  void note(std::size_t route, std::size_t kind, std::chrono::nanoseconds took);

  // Adds the counts to `sums`, which has one place for each route.
  void add_to(std::vector<RouteStats>* sums) const;

 private:
  // Only one thread writes, so no addition requires a locked instruction.
  class Counter {
   public:
    void add(std::uint64_t count) { value_.store(value() + count, std::memory_order_relaxed); }
    // relaxed: a single number, which publishes nothing.
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_{0};
  };

  struct Route {
    std::vector<Counter> answers;  // by kind; mostly unused, but found without a search
    std::array<Counter, RouteStats::kBounds.size() + 1> took;
    Counter took_ns;
  };
  std::vector<Route> routes_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_REQUEST_STATS_H_
