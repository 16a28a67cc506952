// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/frozen.h"
#include "test/support/galera_cluster.h"
#include "test/support/ports.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/network_faults.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;

// The faults of the three nodes.
struct Trial {
  bool all_crash;
  bool keeps_commits;
};

SociStoreOptions options(const Trial& trial) {
  SociStoreOptions options;
  options.lossy_commits = trial.keeps_commits ? LossyCommits::kRefuse : LossyCommits::kAllow;
  options.call_timeout = std::chrono::seconds(2);
  options.failover = Failover::kSynchronous;
  return options;
}

// Leases at another node than all the others, as fast as possible.
class StrangeWriter {
 public:
  StrangeWriter(const std::string& url, std::string tag, const SociStoreOptions& options)
      : store_(open_soci_store(url, options).value()), thread_([this, tag = std::move(tag)] {
          while (!stopping_) static_cast<void>(store_->lease(tag, 1));
        }) {}
  ~StrangeWriter() {
    stopping_ = true;
    thread_.join();
  }

 private:
  const std::unique_ptr<Store> store_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// Three nodes. All processes prefer the first, and the way there can fail.
class GaleraEngine final : public Engine {
 public:
  explicit GaleraEngine(Trial trial) : trial_(trial) {
    if (const Status made = init_soci_schema(urls(), options(trial_)); !made.ok()) {
      throw std::runtime_error(made.to_string());
    }
    // Its log of moves, because a node's binary log does not survive a state transfer.
    operator_sql()->run("ALTER TABLE id_segments ADD SYSTEM VERSIONING");
  }

  std::vector<std::string> urls() const override {
    std::vector<std::string> urls = cluster_.urls();
    urls[0] = test::with_port(urls[0], forwarder_.port());
    return urls;
  }
  std::string failover() const override { return "synchronous"; }
  bool keeps_commits() const override { return trial_.keeps_commits; }
  std::unique_ptr<test::RawSql> operator_sql() override;
  std::vector<Fault> faults(Random& random) override;
  std::vector<Fault> crashes(Random& random) override;
  std::vector<Move> moves() override;
  std::vector<std::pair<std::string, std::int64_t>> counts() override {
    return {
        {"connections cut", forwarder_.cuts()},
        {"skips of all tags", operator_sql()->number("SELECT (term >> 32) - 1 FROM id_leader")}};
  }

 private:
  static constexpr std::size_t kNodes = test::GaleraCluster::kNodes;

  std::vector<Fault> node_faults(Random& random);
  void restart_all();
  void begin_again();
  void kill_donor_of(std::size_t node);

  const Trial trial_;
  test::GaleraCluster cluster_{
      {std::string("--innodb-flush-log-at-trx-commit=") + (trial_.keeps_commits ? "1" : "0")}};
  test::Forwarder forwarder_{cluster_.port(0)};
  CutProgress cut_progress_;
};

std::unique_ptr<test::RawSql> GaleraEngine::operator_sql() {
  for (std::size_t node = 0; node < kNodes; ++node) {
    if (!cluster_.synced(node)) continue;
    return std::make_unique<test::RawSql>(cluster_.url(node),
                                          "SET SESSION innodb_lock_wait_timeout = 5");
  }
  throw std::runtime_error("no node belongs to a majority");
}

// The log has every value that a row ever had, except some between two leases that waited for one
// another. So one step between values is one lease or several, unless it is so large that only an
// operator can have made it.
std::vector<Move> GaleraEngine::moves() {
  std::vector<Move> moves;
  std::string tag;
  long long max_id = 0;
  Move last;
  operator_sql()->for_each_row(
      "SELECT DISTINCT biz_tag, max_id FROM id_segments FOR SYSTEM_TIME ALL "
      "ORDER BY biz_tag, max_id",
      [&] {
        if (last.tag != tag) last = {tag, 0, 0};
        const bool leased = max_id - last.to < 10 * kLeaseIdsMax;
        while (last.to < max_id) {
          last.from = last.to;
          last.to = leased ? std::min<std::int64_t>(max_id, last.from + kLeaseIdsMax) : max_id;
          moves.push_back(last);
        }
      },
      soci::into(tag), soci::into(max_id));
  return moves;
}

void GaleraEngine::restart_all() {
  for (std::size_t node = 0; node < kNodes; ++node) {
    cluster_.stop(node);
    cluster_.start(node);
  }
}

std::vector<Fault> GaleraEngine::faults(Random& random) {
  std::vector<Fault> faults = network_faults(forwarder_, cut_progress_);
  std::vector<Fault> more = node_faults(random);
  std::move(more.begin(), more.end(), std::back_inserter(faults));
  return faults;
}

std::vector<Fault> GaleraEngine::node_faults(Random& random) {
  // The node that everybody writes to, more often than not.
  const auto node = static_cast<std::size_t>(
      random.percent(60) ? 0 : random.pick(1, static_cast<std::int64_t>(kNodes) - 1));
  const std::string tag = shared_tag(random);
  auto frozen = std::make_shared<std::unique_ptr<test::Frozen>>();
  auto writer = std::make_shared<std::unique_ptr<StrangeWriter>>();
  return {
      {"kill -9 of a node, which a donor then brings up again",
       {"database"},
       milliseconds(0),
       milliseconds(8000),
       [=] { cluster_.stop(node, SIGKILL); },
       [=] { cluster_.start(node); }},
      {"a node cut off from the others",
       {"database"},
       milliseconds(6000),
       milliseconds(12000),
       [=] { cluster_.isolate(node); },
       [=] {
         cluster_.rejoin(node);
         cluster_.await_synced(node);
       }},
      {"SIGSTOP of a node",
       {"database"},
       milliseconds(3000),
       milliseconds(10000),
       [=] { *frozen = std::make_unique<test::Frozen>(cluster_.pid(node)); },
       [=] {
         frozen->reset();
         cluster_.await_synced(node);
       }},
      {"rolling restart of all nodes",
       {"database"},
       milliseconds(0),
       milliseconds(0),
       [=] { restart_all(); },
       [] {}},
      {"a writer at another node",
       {"database"},
       milliseconds(1000),
       milliseconds(5000),
       [=] { *writer = std::make_unique<StrangeWriter>(cluster_.url(1), tag, options(trial_)); },
       [=] { writer->reset(); }},
  };
}

// Also heals a crash that an earlier attempt healed only in part.
void GaleraEngine::begin_again() {
  cluster_.kill_all();
  cluster_.begin_again();
}

// The node joins again, and continues without its first donor.
void GaleraEngine::kill_donor_of(std::size_t node) {
  cluster_.stop(node, SIGKILL);
  cluster_.launch(node);
  std::size_t donor = node;
  const auto find_donor = [&] {
    for (std::size_t other = 0; other < kNodes; ++other) {
      if (other == node) continue;
      if (cluster_.status(other, "wsrep_local_state_comment") == "Donor/Desynced") donor = other;
    }
    return donor != node;
  };
  if (!test::wait_until(find_donor, milliseconds(15000))) {
    throw std::runtime_error("no node was seen to be a donor");
  }
  cluster_.stop(donor, SIGKILL);
}

std::vector<Fault> GaleraEngine::crashes(Random& random) {
  if (!trial_.all_crash) return {};
  const auto node = random.index(kNodes);
  const milliseconds gap(random.pick(0, 600));
  // By then there are leases to lose, and an earlier skip is on the disk.
  const auto lease_first = [] { std::this_thread::sleep_for(milliseconds(2000)); };
  const auto crash = [](const char* name, std::function<void()> apply, std::function<void()> heal) {
    return Fault{name,
                 {"database", "network"},
                 milliseconds(0),
                 milliseconds(1000),
                 std::move(apply),
                 std::move(heal)};
  };
  return {
      crash(
          "kill -9 of all nodes, the furthest begins again",
          [=] {
            lease_first();
            cluster_.kill_all();
          },
          [=] { begin_again(); }),
      crash(
          "kill -9 of all nodes, which find one another again",
          [=] {
            lease_first();
            cluster_.kill_all();
          },
          [=] {
            try {
              cluster_.find_again();
            } catch (
                const std::exception&) {  // one had seen another leave: an operator must decide
              begin_again();
            }
          }),
      crash(
          "kill -9 of one node after the other",
          [=] {
            lease_first();
            for (std::size_t i = 0; i < kNodes; ++i) {
              cluster_.stop((node + i) % kNodes, SIGKILL);
              std::this_thread::sleep_for(gap);
            }
          },
          [=] { begin_again(); }),
      crash(
          "kill -9 of all nodes, one of them cut off before",
          [=] {
            lease_first();
            cluster_.isolate(node);
            std::this_thread::sleep_for(10 * gap);
            cluster_.kill_all();
          },
          [=] { begin_again(); }),
      crash(
          "kill -9 of a donor, then of all nodes",
          [=] {
            lease_first();
            kill_donor_of(node);
            std::this_thread::sleep_for(gap);
            cluster_.kill_all();
          },
          [=] { begin_again(); }),
  };
}

}  // namespace

std::unique_ptr<Engine> make_galera_engine() {
  return std::make_unique<GaleraEngine>(Trial{/*all_crash=*/false, /*keeps_commits=*/true});
}

std::unique_ptr<Engine> make_galera_crashes_engine() {
  return std::make_unique<GaleraEngine>(Trial{/*all_crash=*/true, /*keeps_commits=*/true});
}

std::unique_ptr<Engine> make_galera_lossy_engine() {
  return std::make_unique<GaleraEngine>(Trial{/*all_crash=*/true, /*keeps_commits=*/false});
}

}  // namespace featherid::campaign
