// SPDX-License-Identifier: MIT
// featherid_bench_http [--quick] [PART...]   prints the figures of these parts, or of all.
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "featherid/soci_store.h"
#include "test/bench/figures.h"
#include "test/bench/http_servers.h"
#include "test/bench/resp.h"
#include "test/bench/wrk.h"
#include "test/support/mariadb_server.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid::bench {

namespace {

int rounds = 5;
constexpr std::chrono::seconds kDuration{1};

constexpr int kConnectionsMax = 4000;
// A pool has a thread for each connection. With 4000 of them on two cores it can leave connections
// without an answer for half a minute.
constexpr int kPoolConnectionsMax = 1000;

const std::string kId = "/api/v1/id?biz_tag=order";
const std::string kBatch10 = "/api/v1/id/batch?biz_tag=order&count=10";
const std::string kBatch1000 = "/api/v1/id/batch?biz_tag=order&count=1000";
const std::string kRange = "/api/v1/id/range?biz_tag=order&count=10";

// --- one run of wrk, and the figures of many ---

struct Run {
  WrkReport wrk;
  double resident_mb = 0;
  double cpu_us = 0;  // a request
};

Run drive(const HttpServerProcess& server, const std::string& target, const Load& load) {
  const double cpu_before = server.cpu_seconds();
  Wrk wrk(server.port(), target, load);
  // While the connections are open.
  test::wait_until([] { return false; }, std::chrono::milliseconds(load.duration) / 2);
  Run run;
  run.resident_mb = server.resident_mb();
  run.wrk = wrk.report();
  run.cpu_us = (server.cpu_seconds() - cpu_before) * 1e6 / std::max(1.0, run.wrk.requests);
  return run;
}

struct Quantity {
  const char* name;
  const char* unit;
  double (*of)(const Run&);
};

constexpr Quantity kQuantities[] = {
    {"rps", "per-s", [](const Run& run) { return run.wrk.per_second(); }},
    {"p50", "us", [](const Run& run) { return run.wrk.p50_us; }},
    {"p99", "us", [](const Run& run) { return run.wrk.p99_us; }},
    {"p99.9", "us", [](const Run& run) { return run.wrk.p999_us; }},
    {"cpu", "us", [](const Run& run) { return run.cpu_us; }},
    {"rss", "MB", [](const Run& run) { return run.resident_mb; }},
};

// The runs of one call under one load: by server, in the order of the rounds.
using Runs = std::map<std::string, std::vector<Run>>;

double median_of(const std::vector<Run>& runs, const Quantity& quantity) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(quantity.of(run));
  return median(values);
}

void report_ratios(const std::string& name, const std::vector<Run>& runs,
                   const std::vector<Run>& base_runs) {
  for (const Quantity& quantity : kQuantities) {
    std::vector<double> ratios;
    // Of runs close in time, because a stall of the machine slows both.
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (const double base = quantity.of(base_runs[i]); base > 0) {
        ratios.push_back(quantity.of(runs[i]) / base);
      }
    }
    if (ratios.empty()) continue;
    figure(name + "." + quantity.name, median(ratios), "x");
  }
}

void report(const std::string& name, const Runs& runs) {
  for (const auto& [server, of_server] : runs) {
    std::string prefix = name + ".";
    prefix += server + ".";
    double errors = 0;
    for (const Quantity& quantity : kQuantities) {
      // wrk measures no latencies of requests that were sent together.
      if (const double value = median_of(of_server, quantity); value != 0) {
        figure(prefix + quantity.name, value, quantity.unit);
      }
    }
    for (const Run& run : of_server) errors += run.wrk.refused + run.wrk.failed;
    figure(prefix + "errors", errors, "requests");
  }
  if (runs.count("nginx") != 0) {
    report_ratios(name + ".vs_nginx", runs.at("featherid"), runs.at("nginx"));
  }
}

// --- calls against the other servers ---

using Names = std::set<std::string>;

const Names kAlone = {"featherid"};
const Names kNginxToo = {"featherid", "nginx"};
const Names kAll = {"featherid", "nginx", "httplib_pool"};

struct Contest {
  std::string name;
  std::string target;
  Load load;
  Names servers;
};

// The three servers, freshly started: featherid-server on SQLite, and nginx with answers of the
// same length. With a certificate these two speak TLS.
class Contestants {
 public:
  Contestants(const std::vector<Contest>& contests, const Certificate& certificate) {
    const std::string database = make_database(scratch_);
    featherid_ = start_featherid(scratch_, database);
    std::map<std::string, std::string> answers;
    for (const Contest& contest : contests) {
      if (contest.servers.count("nginx") == 0) continue;
      answers[contest.target] = get(featherid_->port(), contest.target);
    }
    if (certificate) {
      featherid_.reset();  // it has to end before another one uses its file
      featherid_ = start_featherid(scratch_, database, certificate);
    }
    nginx_ = start_nginx(scratch_, answers, certificate);
    pool_ = start_httplib_pool(scratch_, kPoolConnectionsMax);
  }

  // Two short turns in opposite orders say more than a long one: which of load and server gets
  // which core changes from run to run, and with it the latencies.
  void run(const Contest& contest, Runs* runs) const {
    for (const auto* server : {nginx_.get(), featherid_.get(), featherid_.get(), nginx_.get()}) {
      run_one(contest, *server, runs);
    }
  }
  // After the others, because its hundreds of threads take a while to end their connections.
  void run_pool(const Contest& contest, Runs* runs) const { run_one(contest, *pool_, runs); }

 private:
  static void run_one(const Contest& contest, const HttpServerProcess& server, Runs* runs) {
    if (contest.servers.count(server.name()) == 0) return;
    const Run run = drive(server, contest.target, contest.load);
    std::cerr << contest.name << " " << server.name() << ": " << run.wrk.per_second()
              << " requests/s, p50 " << run.wrk.p50_us << ", p99 " << run.wrk.p99_us << " us\n";
    (*runs)[server.name()].push_back(run);
  }

  test::ScratchDir scratch_;  // goes last
  std::unique_ptr<HttpServerProcess> featherid_;
  std::unique_ptr<HttpServerProcess> nginx_;
  std::unique_ptr<HttpServerProcess> pool_;
};

std::map<std::string, Runs> measure(const std::vector<Contest>& contests,
                                    const Certificate& certificate = {}) {
  std::map<std::string, Runs> runs;
  for (int round = 1; round <= rounds; ++round) {
    std::cerr << "round " << round << " of " << rounds << '\n';
    const Contestants contestants(contests, certificate);
    for (const Contest& contest : contests) contestants.run(contest, &runs[contest.name]);
    for (const Contest& contest : contests) contestants.run_pool(contest, &runs[contest.name]);
  }
  for (const Contest& contest : contests) report(contest.name, runs[contest.name]);
  return runs;
}

Load with_connections(int connections) {
  Load load;
  load.connections = connections;
  load.duration = kDuration;
  return load;
}

void measure_calls() {
  std::vector<Contest> contests;
  for (const int connections : {1, 16, 256, 1000, kConnectionsMax}) {  // upwards: memory stays
    const std::string suffix = ".c" + std::to_string(connections);
    const Load load = with_connections(connections);
    const Names& servers = connections > kPoolConnectionsMax ? kNginxToo : kAll;
    contests.push_back({"id" + suffix, kId, load, servers});
    if (connections == 1 || connections == kConnectionsMax) continue;
    contests.push_back({"batch_10" + suffix, kBatch10, load, kNginxToo});
    contests.push_back({"range" + suffix, kRange, load, kNginxToo});
  }
  measure(contests);
}

void measure_tls() {
  test::Authority authority;
  std::vector<Contest> contests;
  for (const int connections : {16, 256}) {
    Load load = with_connections(connections);
    load.tls = true;
    contests.push_back({"tls.id.c" + std::to_string(connections), kId, load, kNginxToo});
  }
  measure(contests, authority.issue("IP:127.0.0.1"));
}

void measure_patterns() {
  Load new_connections = with_connections(16);
  new_connections.keep_alive = false;
  Load pipelined = with_connections(16);
  pipelined.depth = 16;
  // nginx accepts no body as long as the batch's in its configuration.
  auto runs = measure({{"batch_1000.c16", kBatch1000, with_connections(16), kAlone},
                       {"new_connections.c16", kId, new_connections, kAll},
                       {"pipelined_16.c16", kId, pipelined, kNginxToo}});
  figure("batch_1000.c16.featherid.ids",
         1000 * median_of(runs["batch_1000.c16"]["featherid"], kQuantities[0]), "per-s");
}

// --- a tag whose store hangs ---

// 900 clients of a tag with ids in memory, alone and beside 100 of a tag whose row another session
// has locked. The 100 are first parked for a request's timeout and then refused at once, and they
// keep asking. The 900 are measured through both phases.
void measure_hanging_tag() {
  test::MariadbServer mariadb;
  if (const Status bad = init_soci_schema(mariadb.url()); !bad.ok()) {
    throw std::runtime_error(bad.to_string());
  }
  test::RawSql sql(mariadb.url());
  sql.run("UPDATE id_segments SET step = 10000000");
  const test::ScratchDir scratch;
  std::vector<double> alone;
  std::vector<double> beside;
  std::vector<double> ratios;
  double errors = 0;
  double served = 0;
  Load others = with_connections(900);
  others.duration *= 4;
  Load hanging = with_connections(100);
  hanging.duration = others.duration + std::chrono::seconds(1);
  for (int round = 1; round <= rounds; ++round) {
    std::cerr << "round " << round << " of " << rounds << '\n';
    const auto server = start_featherid(scratch, mariadb.url());
    get(server->port(), kId);
    const Run without = drive(*server, kId, others);
    sql.run("BEGIN");
    sql.run("SELECT max_id FROM id_segments WHERE biz_tag = 'user' FOR UPDATE");
    Wrk hung(server->port(), "/api/v1/id?biz_tag=user", hanging);
    const Run with = drive(*server, kId, others);
    const WrkReport of_hung = hung.report();
    served += of_hung.requests - of_hung.refused;
    sql.run("ROLLBACK");
    alone.push_back(without.wrk.p99_us);
    beside.push_back(with.wrk.p99_us);
    ratios.push_back(with.wrk.p99_us / without.wrk.p99_us);
    for (const Run& run : {without, with}) errors += run.wrk.refused + run.wrk.failed;
  }
  figure("hanging_tag.alone.p99", median(alone), "us");
  figure("hanging_tag.beside.p99", median(beside), "us");
  figure("hanging_tag.beside_vs_alone.p99", median(ratios), "x");
  figure("hanging_tag.featherid.errors", errors, "requests");
  figure("hanging_tag.hung.served", served, "requests");
}

// --- many tags, and those who watch them ---

constexpr int kManyTags = 10000;

// The time of one call, in milliseconds, and the size of its answer.
struct Call {
  double ms = 0;
  double mb = 0;
};

Call call(httplib::Client* client, const std::string& target) {
  const auto begin = std::chrono::steady_clock::now();
  const httplib::Result result = client->Get(target);
  if (!result || result->status != 200) throw std::runtime_error("no answer to " + target);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  return {took.count(), static_cast<double>(result->body.size()) / 1e6};
}

// What two open pages of the console and one Prometheus ask for, in 10 s, and how often.
const std::vector<std::pair<std::string, int>> kWatchers = {
    {"/api/v1/status", 10}, {"/api/v1/status/tags", 2}, {"/metrics", 1}};
constexpr std::chrono::seconds kWatched{10};

// Answers that grow with the number of tags.
const std::map<std::string, std::string> kBigAnswers = {{"metrics", "/metrics"},
                                                        {"status_tags", "/api/v1/status/tags"},
                                                        {"tags_page", "/api/v1/tags?limit=1000"}};

// Asks a server for all this, until it is destroyed.
class Watchers {
 public:
  explicit Watchers(int port) {
    for (const auto& [target, times] : kWatchers) {
      threads_.emplace_back([this, port, target = target, every = kWatched / times] {
        httplib::Client client("127.0.0.1", port);
        client.set_read_timeout(std::chrono::seconds(10));
        do {
          if (!client.Get(target)) ++failed_;
        } while (!test::wait_until([this] { return ended_.load(); }, every));
      });
    }
  }
  ~Watchers() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  int failed() const { return failed_; }

 private:
  std::atomic<bool> ended_{false};
  std::atomic<int> failed_{0};
  std::vector<std::thread> threads_;
};

void bring_all_into_use(int port) {
  httplib::Client client("127.0.0.1", port);
  client.set_keep_alive(true);
  for (int i = 0; i < kManyTags; ++i) {
    call(&client, "/api/v1/id?biz_tag=tag" + std::to_string(i));
  }
}

// Ids of one tag beside 10,000 others, all in use: with the console off and nobody watching, and
// with it on and watched.
void measure_many_tags() {
  const test::ScratchDir scratch;
  const std::string database = make_database(scratch, kManyTags);
  const std::string shown = std::to_string(kManyTags);
  Load load = with_connections(16);
  load.duration = kWatched;
  std::vector<Run> plain;
  std::vector<Run> watched;
  std::map<std::string, std::vector<Call>> calls;
  double errors = 0;
  for (int round = 1; round <= rounds; ++round) {
    std::cerr << "round " << round << " of " << rounds << '\n';
    for (const bool watch : {false, true}) {
      const auto server = start_featherid(
          scratch, database, {}, {"--metrics-tags", shown, "--console", watch ? "on" : "off"});
      bring_all_into_use(server->port());
      get(server->port(), kId);
      if (watch) {
        httplib::Client client("127.0.0.1", server->port());
        for (const auto& [name, target] : kBigAnswers) {
          calls[name].push_back(call(&client, target));
        }
      }
      std::optional<Watchers> watchers;
      if (watch) watchers.emplace(server->port());
      (watch ? watched : plain).push_back(drive(*server, kId, load));
      if (watchers) errors += watchers->failed();
    }
  }
  for (const auto& [name, of_name] : calls) {
    std::vector<double> ms;
    for (const Call& each : of_name) ms.push_back(each.ms);
    figure("many_tags." + name + ".time", median(ms), "ms");
    figure("many_tags." + name + ".size", of_name.front().mb, "MB");
  }
  report("many_tags.id", {{"plain", plain}, {"watched", watched}});
  report_ratios("many_tags.watched_vs_plain", watched, plain);
  figure("many_tags.watchers.errors", errors, "requests");
}

// --- start ---

// From the start of the process until its ready line, in milliseconds.
double ready_ms(const test::ScratchDir& scratch) {
  const auto begin = std::chrono::steady_clock::now();
  const auto server = start_featherid(scratch, "sqlite3:" + scratch.file("ids.db"));
  httplib::Client client("127.0.0.1", server->port());
  const bool ready = test::wait_until([&client] {
    const httplib::Result result = client.Get("/readyz");
    return result && result->status == 200;
  });
  if (!ready) throw std::runtime_error("featherid-server does not become ready");
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  return took.count();
}

void measure_start() {
  std::vector<double> new_file;
  std::vector<double> existing_file;
  for (int round = 1; round <= 2 * rounds; ++round) {
    const test::ScratchDir scratch;
    new_file.push_back(ready_ms(scratch));
    existing_file.push_back(ready_ms(scratch));
  }
  figure("start.new_file.ready", median(new_file), "ms");
  figure("start.new_file.ready_most", *std::max_element(new_file.begin(), new_file.end()), "ms");
  figure("start.existing_file.ready", median(existing_file), "ms");
  figure("start.existing_file.ready_most",
         *std::max_element(existing_file.begin(), existing_file.end()), "ms");
}

struct Part {
  std::string name;
  void (*measure)();
};

const Part kParts[] = {{"calls", measure_calls},
                       {"tls", measure_tls},
                       {"patterns", measure_patterns},
                       {"hanging_tag", measure_hanging_tag},
                       {"many_tags", measure_many_tags},
                       {"start", measure_start},
                       {"resp", [] { measure_resp(rounds, 2 * kDuration); }}};

}  // namespace

int run(const std::vector<std::string>& arguments) {
  std::vector<const Part*> parts;
  for (const std::string& argument : arguments) {
    const auto part = std::find_if(std::begin(kParts), std::end(kParts),
                                   [&](const Part& each) { return each.name == argument; });
    if (argument == "--quick") {
      rounds = 1;
    } else if (part != std::end(kParts)) {
      parts.push_back(part);
    } else {
      std::cerr << "featherid_bench_http: '" << argument << "' is not a part; the parts are:";
      for (const Part& each : kParts) std::cerr << ' ' << each.name;
      std::cerr << '\n';
      return 2;
    }
  }
  if (parts.empty()) {
    for (const Part& each : kParts) parts.push_back(&each);
  }
  prepare_process();
  try {
    for (const Part* part : parts) part->measure();
  } catch (const std::exception& e) {
    std::cerr << "featherid_bench_http: " << e.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace featherid::bench

int main(int argc, char** argv) { return featherid::bench::run({argv + 1, argv + argc}); }
