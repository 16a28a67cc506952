// SPDX-License-Identifier: MIT
// featherid_bench_ways [--quick] [--table FILE]   prints the figures of each way to get ids, for
// one client process and for eight, and writes them to FILE as a table.
#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "server/store/stores.h"
#include "test/bench/figures.h"
#include "test/bench/http_servers.h"
#include "test/bench/way_client.h"
#include "test/bench/wrk.h"
#include "test/support/authority.h"
#include "test/support/mariadb_server.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid::bench {

namespace {

constexpr int kProcesses[] = {1, 8};
constexpr const char* kProgram = "/proc/self/exe";

struct Way {
  std::string name;
  WayCall call;
};

// --- what the ways lead to ---

void check(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

// Makes the tags `order`, whose steps are large, and `strict`.
void make_tags(const std::string& url) {
  StoreOptions options;
  options.addresses = {url};
  check(init_store(options).status());
  const Result<std::unique_ptr<Store>> store = open_store(options);
  check(store.status());
  check((*store)->update("order", 10'000'000));
  NewTag strict(1000);
  strict.options.order = TagOrder::kStrict;
  check((*store)->create("strict", strict));
}

// One MariaDB, servers on it with and without TLS, and a SQLite file.
class Places {
 public:
  Places() {
    make_tags(mariadb_.url());
    make_tags(sqlite_url());
    plain_ = start_featherid(
        scratch_, mariadb_.url(), {},
        {"--resp-listen", "127.0.0.1:" + std::to_string(redis_), "--max-batch", "1000"});
    tls_ = start_featherid(tls_scratch_, mariadb_.url(), authority_.issue("IP:127.0.0.1"),
                           {"--resp-listen", "127.0.0.1:" + std::to_string(redis_tls_)});
  }

  std::vector<Way> ways() const {
    using Kind = WayCall::Kind;
    // A store of another kind is one line here.
    const std::pair<const char*, std::string> stores[] = {{"mariadb", mariadb_.url()},
                                                          {"http", "http://127.0.0.1:" + http()},
                                                          {"sqlite", sqlite_url()}};
    std::vector<Way> ways;
    for (const auto& [name, url] : stores) {
      ways.push_back({std::string("embedded.") + name, {Kind::kEmbedded, url, "order"}});
    }
    for (const auto& [name, url] : stores) {
      ways.push_back({std::string("embedded_strict.") + name, {Kind::kEmbedded, url, "strict"}});
    }
    const std::string redis = std::to_string(redis_);
    const std::string ca = authority_.ca_file();
    ways.push_back({"http.id", {Kind::kHttpId, http(), "order"}});
    ways.push_back({"http.batch_100", {Kind::kHttpBatch, http(), "order", 100}});
    ways.push_back({"http.range_100", {Kind::kHttpRange, http(), "order", 100}});
    ways.push_back({"http_tls.id", {Kind::kHttpId, std::to_string(tls_->port()), "order", 1, ca}});
    ways.push_back({"http_strict.id", {Kind::kHttpId, http(), "strict"}});
    ways.push_back({"redis.incr", {Kind::kRedis, redis, "order"}});
    ways.push_back({"redis.pipelined_16", {Kind::kRedis, redis, "order", 16}});
    ways.push_back({"redis_tls.incr", {Kind::kRedis, std::to_string(redis_tls_), "order", 1, ca}});
    ways.push_back({"redis_strict.incr", {Kind::kRedis, redis, "strict"}});
    return ways;
  }

 private:
  std::string http() const { return std::to_string(plain_->port()); }
  std::string sqlite_url() const { return "sqlite3:" + scratch_.file("ids.db"); }

  test::ScratchDir scratch_;
  test::ScratchDir tls_scratch_;
  test::Authority authority_;
  test::MariadbServer mariadb_;
  const int redis_ = test::free_port();
  const int redis_tls_ = test::free_port();
  std::unique_ptr<HttpServerProcess> plain_;
  std::unique_ptr<HttpServerProcess> tls_;
};

// --- one run: client processes that begin together ---

struct Run {
  double ids_per_second = 0;
  double errors = 0;
  double duplicates = 0;
  Latencies latencies;
};

// Ids that came more than once, in whatever process.
double count_duplicates(std::vector<IdRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const IdRange& a, const IdRange& b) { return a.first < b.first; });
  std::int64_t duplicates = 0;
  std::int64_t end = 0;
  for (const IdRange& range : ranges) {
    duplicates += std::max<std::int64_t>(0, std::min(end, range.end) - range.first);
    end = std::max(end, range.end);
  }
  return static_cast<double>(duplicates);
}

Run run(const WayCall& call, int processes, std::chrono::milliseconds duration) {
  const test::ScratchDir scratch;
  const Meeting meeting(scratch.path().string());
  std::vector<std::unique_ptr<test::ChildProcess>> clients;
  for (int i = 0; i < processes; ++i) {
    std::vector<std::string> argv = arguments_of(call, duration, meeting, i);
    argv.insert(argv.begin(), kProgram);
    clients.push_back(std::make_unique<test::ChildProcess>(argv));
  }
  const auto all_ready = [&] {
    throw_if_told_to_stop();
    for (int i = 0; i < processes; ++i) {
      if (clients[static_cast<std::size_t>(i)]->wait(std::chrono::milliseconds(0))) {
        throw std::runtime_error("a client process has ended");
      }
      if (!std::filesystem::exists(meeting.ready_file(i))) return false;
    }
    return true;
  };
  if (!test::wait_until(all_ready)) throw std::runtime_error("a client process is not ready");
  std::ofstream(meeting.go_file()).flush();
  Run sum;
  std::vector<IdRange> ranges;
  for (int i = 0; i < processes; ++i) {
    if (clients[static_cast<std::size_t>(i)]->wait(duration + std::chrono::seconds(30)) != 0) {
      throw std::runtime_error("a client process has failed");
    }
    const WayReport report = WayReport::load(meeting.report_file(i));
    sum.ids_per_second += static_cast<double>(report.ids) / report.seconds;
    sum.errors += static_cast<double>(report.errors);
    sum.latencies.add(report.latencies);
    ranges.insert(ranges.end(), report.ranges.begin(), report.ranges.end());
  }
  sum.duplicates = count_duplicates(std::move(ranges));
  return sum;
}

// --- figures and the table ---

using Runs = std::vector<Run>;  // of one way and number of processes, in the order of the rounds

template <typename Of>
double median_of(const Runs& runs, Of of) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(of(run));
  return median(values);
}

double ids_per_second(const Run& run) { return run.ids_per_second; }

// In microseconds.
double quantile(const Runs& runs, double share) {
  return median_of(runs, [&](const Run& run) { return run.latencies.quantile_ns(share) / 1e3; });
}

constexpr std::pair<const char*, double> kQuantiles[] = {
    {"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}};

void report(const std::string& name, const Runs& runs) {
  figure(name + ".ids", median_of(runs, ids_per_second), "per-s");
  for (const auto& [quantile_name, share] : kQuantiles) {
    figure(name + "." + quantile_name, quantile(runs, share), "us");
  }
  double duplicates = 0;
  double errors = 0;
  for (const Run& run : runs) {
    duplicates += run.duplicates;
    errors += run.errors;
  }
  figure(name + ".duplicates", duplicates, "ids");
  figure(name + ".errors", errors, "calls");
}

using Results = std::map<std::pair<std::string, int>, Runs>;  // by way and processes

void write_table(const std::string& file, const std::vector<Way>& ways, const Results& results) {
  std::ofstream out(file);
  const auto cell = [&out](const std::string& text, int width) {
    out << " " << std::setw(width) << text << " |";
  };
  out << "|                         |";
  for (const int processes : kProcesses) {
    cell("ids/s, " + std::to_string(processes) + (processes == 1 ? " process" : " processes"), 19);
    for (const auto& [name, share] : kQuantiles) cell(name + std::string(", µs"), 10);
  }
  out << "\n| ----------------------- |";
  for (std::size_t i = 0; i < std::size(kProcesses); ++i) {
    out << " ------------------: | --------: | --------: | --------: |";
  }
  out << '\n';
  for (const Way& way : ways) {
    out << "| " << std::left << std::setw(23) << way.name << " |" << std::right;
    for (const int processes : kProcesses) {
      const Runs& runs = results.at({way.name, processes});
      cell(short_number(median_of(runs, ids_per_second)), 19);
      for (const auto& [name, share] : kQuantiles) cell(short_number(quantile(runs, share)), 9);
    }
    out << '\n';
  }
}

// Medians of the ratios of runs that were neighbours: what slows the machine for a while slows
// both.
void report_ratio(const Results& results, const std::string& way, const std::string& base,
                  int processes) {
  const Runs& runs = results.at({way, processes});
  const Runs& base_runs = results.at({base, processes});
  std::vector<double> ratios;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    ratios.push_back(runs[i].ids_per_second / base_runs[i].ids_per_second);
  }
  figure(way + ".vs_" + base.substr(base.find('.') + 1) + ".p" + std::to_string(processes) + ".ids",
         median(ratios), "x");
}

void measure(int rounds, std::chrono::milliseconds duration, const std::string& table_file) {
  const Places places;
  const std::vector<Way> ways = places.ways();
  Results results;
  for (int round = 1; round <= rounds; ++round) {
    for (const int processes : kProcesses) {
      std::cerr << "round " << round << " of " << rounds << ", " << processes << " processes\n";
      for (const Way& way : ways) {
        results[{way.name, processes}].push_back(run(way.call, processes, duration));
      }
    }
  }
  for (const Way& way : ways) {
    for (const int processes : kProcesses) {
      report(way.name + ".p" + std::to_string(processes), results.at({way.name, processes}));
    }
  }
  for (const int processes : kProcesses) {
    report_ratio(results, "embedded.http", "embedded.mariadb", processes);
    report_ratio(results, "embedded_strict.http", "embedded_strict.mariadb", processes);
  }
  if (!table_file.empty()) write_table(table_file, ways, results);
}

int run_main(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == "client") return run_way_client(arguments);
  int rounds = 5;
  std::chrono::milliseconds duration{500};
  std::string table_file;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--quick") {
      rounds = 1;
      duration = std::chrono::milliseconds(200);
    } else if (arguments[i] == "--table" && i + 1 < arguments.size()) {
      table_file = arguments[++i];
    } else {
      std::cerr << "usage: featherid_bench_ways [--quick] [--table FILE]\n";
      return 2;
    }
  }
  prepare_process();
  try {
    measure(rounds, duration, table_file);
  } catch (const std::exception& e) {
    std::cerr << "featherid_bench_ways: " << e.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace

}  // namespace featherid::bench

int main(int argc, char** argv) { return featherid::bench::run_main({argv + 1, argv + argc}); }
