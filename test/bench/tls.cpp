// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "featherid/soci_store.h"
#include "test/bench/figures.h"
#include "test/bench/latencies.h"
#include "test/bench/parts.h"
#include "test/support/tls_server.h"

namespace featherid::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kRounds = 5;
constexpr std::chrono::seconds kRound{1};
constexpr int kCallers = 4;  // as many as the store has sessions

std::int64_t ns_since(SteadyClock::time_point begin) {
  return std::chrono::nanoseconds(SteadyClock::now() - begin).count();
}

// One way to reach a server, and the result of each round.
struct Way {
  explicit Way(std::string way_url) : url(std::move(way_url)), store(*open_soci_store(url)) {}

  // This many threads lease as fast as they can, each from its own tag.
  void lease(int callers) {
    std::vector<Latencies> latencies(static_cast<std::size_t>(callers));
    std::vector<std::thread> threads;
    const SteadyClock::time_point end = SteadyClock::now() + kRound;
    for (int i = 0; i < callers; ++i) {
      threads.emplace_back([this, i, end, &mine = latencies[static_cast<std::size_t>(i)]] {
        const std::string tag = "tag." + std::to_string(i);
        for (auto begin = SteadyClock::now(); begin < end; begin = SteadyClock::now()) {
          if (store->lease(tag, 1).ok()) mine.add(ns_since(begin));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::uint64_t count = 0;
    double slowest = 0;
    for (const Latencies& mine : latencies) {
      count += mine.count();
      slowest = std::max(slowest, mine.quantile_ns(0.99));
    }
    leases_per_second.push_back(static_cast<double>(count) /
                                std::chrono::duration<double>(kRound).count());
    p99_ms.push_back(slowest / 1e6);
  }

  void connect() {
    const auto begin = SteadyClock::now();
    const test::RawSql session(url);
    connect_ms.push_back(static_cast<double>(ns_since(begin)) / 1e6);
  }

  std::string url;
  std::unique_ptr<Store> store;
  std::vector<double> leases_per_second;
  std::vector<double> p99_ms;
  std::vector<double> connect_ms;
};

void print(const std::string& name, double off, double tls, const std::string& unit) {
  figure(name + ".off", off, unit);
  figure(name + ".tls", tls, unit);
  figure(name + ".tls_vs_off", tls / off, "ratio");
}

template <typename Server>
void measure(const std::string& name) {
  test::TlsServer<Server> server;
  for (const int callers : {1, kCallers}) {
    Way off(server.url("tls=off"));
    Way tls(server.url("tls=verify-full&ca=" + server.authority().ca_file()));
    for (int i = 0; i < callers; ++i) {
      const Status made = off.store->create("tag." + std::to_string(i), 1000);
      if (!made.ok() && made.code() != StatusCode::kAlreadyExists) {
        throw std::runtime_error(made.to_string());
      }
    }
    for (int round = 0; round < kRounds; ++round) {
      for (Way* way : {&off, &tls}) way->lease(callers);
    }
    const std::string prefix = "tls." + name + ".callers_" + std::to_string(callers);
    print(prefix + ".leases", median(off.leases_per_second), median(tls.leases_per_second), "1/s");
    print(prefix + ".p99", median(off.p99_ms), median(tls.p99_ms), "ms");
    if (callers > 1) continue;
    for (int i = 0; i < 20 * kRounds; ++i) {
      for (Way* way : {&off, &tls}) way->connect();
    }
    print("tls." + name + ".connect", median(off.connect_ms), median(tls.connect_ms), "ms");
  }
}

}  // namespace

void measure_tls() {
  measure<test::MariadbServer>("mariadb");
  measure<test::PostgresqlServer>("postgresql");
}

}  // namespace featherid::bench
