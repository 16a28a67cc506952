// SPDX-License-Identifier: MIT
#include <csignal>
#include <deque>
#include <optional>
#include <stdexcept>

#include "test/support/forwarder.h"
#include "test/support/frozen.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/load.h"
#include "test/system/campaign/network_faults.h"
#include "test/system/e2e/server_process.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;

constexpr int kTierServers = 3;

// A server of the tier, which keeps its port from life to life, and the way to it.
class TierServer {
 public:
  explicit TierServer(const Engine& database)
      : port_(test::free_port()),
        way_(port_),
        flags_({"--listen", "127.0.0.1:" + std::to_string(port_), "--database", database.database(),
                "--failover", database.failover(), "--lossy-commits",
                database.keeps_commits() ? "refuse" : "allow", "--hold",
                std::to_string(kHoldSeconds) + "s", "--call-timeout", "2s", "--request-timeout",
                "1s", "--drain-timeout", "2s"}) {
    start();
  }

  void start() { process_.emplace(scratch_, flags_); }
  void end(int signal) {
    const int code = process_->process().stop(signal);
    if (signal == SIGTERM && code != 0) {
      throw std::runtime_error("a server of the tier ended with " + std::to_string(code));
    }
  }
  pid_t pid() { return process_->process().pid(); }
  test::Forwarder& way() { return way_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(way_.port()); }

 private:
  const test::ScratchDir scratch_;
  const int port_;
  test::Forwarder way_;
  const std::vector<std::string> flags_;
  std::optional<test::ServerProcess> process_;
};

// A tier of servers between all processes and a database: the processes lease from them.
class TierEngine final : public Engine {
 public:
  explicit TierEngine(std::unique_ptr<Engine> database) : database_(std::move(database)) {
    for (int i = 0; i < kTierServers; ++i) servers_.emplace_back(*database_);
  }

  std::vector<std::string> urls() const override {
    std::vector<std::string> urls;
    for (const TierServer& server : servers_) urls.push_back(server.url());
    return urls;
  }
  std::vector<std::string> database_urls() const override { return database_->urls(); }
  std::string failover() const override { return database_->failover(); }
  bool keeps_commits() const override { return database_->keeps_commits(); }
  std::unique_ptr<test::RawSql> operator_sql() override { return database_->operator_sql(); }
  std::string begin() const override { return database_->begin(); }
  bool has_sql() const override { return database_->has_sql(); }
  std::unique_ptr<Store> operator_store(const std::string& failover) const override {
    return database_->operator_store(failover);
  }
  void put_row(const SegmentRow& row) override { database_->put_row(row); }
  std::function<void()> backup() override { return database_->backup(); }
  std::vector<Fault> faults(Random& random) override;
  std::vector<Move> moves() override { return database_->moves(); }
  std::vector<std::pair<std::string, std::int64_t>> counts() override;

 private:
  std::vector<Fault> faults_of(TierServer& server, const std::string& name);

  const std::unique_ptr<Engine> database_;
  std::deque<TierServer> servers_;
  CutProgress cut_progress_;
};

std::vector<Fault> TierEngine::faults_of(TierServer& server, const std::string& name) {
  auto frozen = std::make_shared<std::unique_ptr<test::Frozen>>();
  return {{"kill -9 of a server of the tier",
           {name},
           milliseconds(0),
           milliseconds(3000),
           [&server] { server.end(SIGKILL); },
           [&server] { server.start(); }},
          {"restart of a server of the tier",
           {name},
           milliseconds(0),
           milliseconds(500),
           [&server] { server.end(SIGTERM); },
           [&server] { server.start(); }},
          {"SIGSTOP of a server of the tier",
           {name},
           milliseconds(1000),
           milliseconds(5000),
           [=, &server] { *frozen = std::make_unique<test::Frozen>(server.pid()); },
           [=] { frozen->reset(); }}};
}

std::vector<Fault> TierEngine::faults(Random& random) {
  std::vector<Fault> faults = database_->faults(random);
  const std::size_t chosen = random.index(servers_.size());
  const std::string name = "tier-" + std::to_string(chosen);
  for (Fault& fault : faults_of(servers_[chosen], name)) faults.push_back(std::move(fault));
  // Another one, so that two of them may fail at once.
  const std::size_t cut = random.index(servers_.size());
  for (Fault& fault : network_faults(servers_[cut].way(), cut_progress_)) {
    fault.name += " (to the tier)";
    fault.touches = {"way to tier-" + std::to_string(cut)};
    faults.push_back(std::move(fault));
  }
  return faults;
}

std::vector<std::pair<std::string, std::int64_t>> TierEngine::counts() {
  std::vector<std::pair<std::string, std::int64_t>> counts = database_->counts();
  std::int64_t cuts = 0;
  for (TierServer& server : servers_) cuts += server.way().cuts();
  counts.emplace_back("connections to the tier cut", cuts);
  return counts;
}

}  // namespace

std::unique_ptr<Engine> make_tier_engine(std::unique_ptr<Engine> database) {
  return std::make_unique<TierEngine>(std::move(database));
}

}  // namespace featherid::campaign
