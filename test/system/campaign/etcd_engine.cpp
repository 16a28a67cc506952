// SPDX-License-Identifier: MIT
#include <algorithm>
#include <csignal>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "featherid/etcd_store.h"
#include "lib/store/etcd/base64.h"
#include "test/support/etcd_cluster.h"
#include "test/support/forwarder.h"
#include "test/support/frozen.h"
#include "test/support/wait_until.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/network_faults.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;
using Json = nlohmann::json;

constexpr std::size_t kMembers = 3;
constexpr milliseconds kCutWithin(200);  // a forwarder has cut its connections by then
constexpr const char* kTags = "/featherid/tags/";
constexpr const char* kMarker = "/featherid/marker";

// Every value that a tag's key ever had, read from the history that etcd keeps until it is
// compacted.
class History {
 public:
  explicit History(test::EtcdCluster& cluster) : cluster_(cluster) {}

  // Adds what has happened until now.
  void collect() {
    const std::string mark = std::to_string(++marks_);
    cluster_.put(kMarker, mark);
    const test::ScratchDir scratch;
    const std::string file = scratch.file("events");
    const auto watch = cluster_.watch("/featherid/", next_, file);
    std::size_t read = 0;  // up to the end of a line
    const bool complete = test::wait_until([&] {
      const std::string lines = test::read_file(file);
      for (std::size_t end = 0; (end = lines.find('\n', read)) != std::string::npos;) {
        const std::string line = lines.substr(read, end - read);
        read = end + 1;
        if (add(line, mark)) return true;
      }
      return false;
    });
    if (!complete)
      throw std::runtime_error("no whole history: " + test::read_file(file).substr(0, 500));
  }
  // The cluster goes on from an older state, which ends at the revision that it has now.
  void went_back() { next_ = cluster_.revision() + 1; }

  const std::vector<Move>& moves() const { return moves_; }
  std::int64_t collected() const { return next_ - 1; }  // revision

 private:
  // Adds the events of one line, up to the mark, after which others may follow. True: it was there.
  bool add(const std::string& line, const std::string& mark) {
    const Json answer = Json::parse(line, nullptr, false);
    if (!answer.is_object()) return false;  // a line of the log
    const std::string tags = kTags;
    for (const Json& event : answer.value("Events", Json::array())) {
      const Json& kv = event.at("kv");
      const std::string key = *base64_decode(kv.at("key").get<std::string>());
      const std::string value = *base64_decode(kv.value("value", std::string()));
      next_ = kv.at("mod_revision").get<std::int64_t>() + 1;
      if (key == kMarker && value == mark) return true;
      if (key.rfind(tags, 0) == 0) add_move(key.substr(tags.size()), value);
    }
    return false;
  }

  void add_move(const std::string& tag, const std::string& value) {
    const Json json = Json::parse(value, nullptr, false);
    if (!json.is_object() || !json.contains("max_id")) return;  // it was removed
    const auto to = json["max_id"].get<std::int64_t>();
    const std::int64_t from = std::exchange(last_[tag], to);
    if (from != to) moves_.push_back({tag, from, to});
  }

  test::EtcdCluster& cluster_;
  int marks_ = 0;
  std::int64_t next_ = 1;  // revision
  std::map<std::string, std::int64_t> last_;
  std::vector<Move> moves_;
};

// Three members. All processes have all addresses, and the way to each can fail.
class EtcdEngine final : public Engine {
 public:
  EtcdEngine() {
    for (std::size_t i = 0; i < kMembers; ++i) {
      ways_.emplace_back(cluster_.port(i), test::PrivateNetwork::address(i));
    }
    const Status made = init_etcd_store(cluster_.url());
    if (!made.ok()) throw std::runtime_error(made.to_string());
  }

  std::vector<std::string> urls() const override {
    std::string members;
    for (const test::Forwarder& way : ways_) {
      members += (members.empty() ? "" : ",") + ("127.0.0.1:" + std::to_string(way.port()));
    }
    return {"etcd://" + members + "/featherid"};
  }
  std::vector<std::string> database_urls() const override { return {cluster_.url()}; }
  std::string failover() const override { return "synchronous"; }
  bool has_sql() const override { return false; }
  std::unique_ptr<test::RawSql> operator_sql() override {
    throw std::runtime_error("etcd has no SQL");
  }
  std::unique_ptr<Store> operator_store(const std::string& /*failover*/) const override {
    return open_etcd_store(cluster_.url()).value();
  }
  void put_row(const SegmentRow& row) override {
    cluster_.put(kTags + row.tag, Json{{"max_id", row.max_id}, {"step", row.step}}.dump());
  }
  std::function<void()> backup() override;
  bool refuses_after_restore() const override { return true; }
  void allow_leases() override { cluster_.ctl({"del", "/featherid/cluster"}); }
  std::vector<Fault> faults(Random& random) override;
  std::vector<Move> moves() override {
    history_.collect();
    return history_.moves();
  }
  std::vector<std::pair<std::string, std::int64_t>> counts() override {
    return {{"connections cut", cuts_of(ways_)}};
  }

 private:
  std::vector<Fault> member_faults(Random& random);
  std::vector<Fault> disk_faults(Random& random);
  std::vector<Fault> cluster_faults();
  std::vector<Fault> key_faults(Random& random);
  void restart_all();
  void compact();
  void check(const Status& status) const {
    if (!status.ok()) throw std::runtime_error(status.to_string());
  }

  test::PrivateNetwork network_{kMembers};  // first: it may be made only while there is one thread
  test::EtcdCluster cluster_{kMembers, {{}, false, {}, &network_}};
  std::deque<test::Forwarder> ways_;
  CutProgress cut_progress_;
  History history_{cluster_};
};

std::function<void()> EtcdEngine::backup() {
  const std::string snapshot = cluster_.snapshot("backup");
  return [this, snapshot] {
    // What processes lease after the history was read would be in none.
    for (test::Forwarder& way : ways_) way.set_trouble(test::Forwarder::Trouble::kRefuses);
    std::this_thread::sleep_for(kCutWithin);
    history_.collect();
    static int restored = 0;
    cluster_.restore(snapshot, "restored-" + std::to_string(++restored));
    history_.went_back();
    for (test::Forwarder& way : ways_) way.set_trouble(test::Forwarder::Trouble::kNone);
  };
}

void EtcdEngine::restart_all() {
  for (std::size_t member = 0; member < kMembers; ++member) {
    cluster_.stop(member, SIGTERM);
    cluster_.start(member);
  }
}

void EtcdEngine::compact() {
  history_.collect();
  cluster_.ctl({"compaction", std::to_string(history_.collected())});  // what comes after is needed
  cluster_.ctl({"defrag"});
}

std::vector<Fault> EtcdEngine::faults(Random& random) {
  const std::size_t way = random.index(kMembers);
  std::vector<Fault> faults = network_faults(ways_[way], cut_progress_);
  for (const auto& more :
       {member_faults(random), disk_faults(random), cluster_faults(), key_faults(random)}) {
    faults.insert(faults.end(), more.begin(), more.end());
  }
  return faults;
}

std::vector<Fault> EtcdEngine::member_faults(Random& random) {
  // Mostly the leader. Which member leads is asked when the fault comes.
  const std::size_t other = random.index(kMembers);
  const bool is_leader = random.percent(60);
  auto member = std::make_shared<std::size_t>(other);
  const auto choose = [=] { *member = is_leader ? cluster_.leader() : other; };
  auto frozen = std::make_shared<std::unique_ptr<test::Frozen>>();
  return {
      {"kill -9 of a member",
       {"database"},
       milliseconds(0),
       milliseconds(5000),
       [=] {
         choose();
         cluster_.stop(*member, SIGKILL);
       },
       [=] { cluster_.start(*member); }},
      {"a member cut off from the others",
       {"database"},
       milliseconds(1000),
       milliseconds(6000),
       [=] {
         choose();
         network_.set_connected(*member, false);
       },
       [=] {
         network_.set_connected(*member, true);
         cluster_.await_healthy(*member);
       }},
      {"SIGSTOP of a member",
       {"database"},
       milliseconds(1000),
       milliseconds(6000),
       [=] {
         choose();
         *frozen = std::make_unique<test::Frozen>(cluster_.pid(*member));
       },
       [=] {
         frozen->reset();
         cluster_.await_healthy(*member);
       }},
      {"a member replaced by an empty one",
       {"database"},
       milliseconds(0),
       milliseconds(0),
       [=] {
         choose();
         cluster_.replace(*member);
       },
       [] {}},
  };
}

std::vector<Fault> EtcdEngine::disk_faults(Random& random) {
  // Beyond the time-out of an election, and within it.
  const milliseconds by(random.pick(50, 1500));
  auto member = std::make_shared<std::size_t>();
  auto disk = std::make_shared<std::unique_ptr<test::ChildProcess>>();
  return {
      {"slow disk of the leader",
       {"database"},
       milliseconds(1000),
       milliseconds(6000),
       [=] { *disk = cluster_.slow_disk(cluster_.leader(), by); },
       [=] { disk->reset(); }},
      {"disk of the leader fails",
       {"database"},
       milliseconds(500),
       milliseconds(3000),
       [=] {
         *member = cluster_.leader();
         *disk = cluster_.broken_disk(*member);
       },
       [=] {
         disk->reset();
         cluster_.complete();
       }},
  };
}

std::vector<Fault> EtcdEngine::cluster_faults() {
  auto busy = std::make_shared<std::unique_ptr<test::ChildProcess>>();
  return {
      {"kill -9 of all members",
       {"database"},
       milliseconds(0),
       milliseconds(3000),
       [=] {
         for (std::size_t i = 0; i < kMembers; ++i) cluster_.stop(i, SIGKILL);
       },
       [=] { cluster_.complete(); }},
      {"rolling restart of all members",
       {"database"},
       milliseconds(0),
       milliseconds(0),
       [=] { restart_all(); },
       [] {}},
      {"compaction and defragmentation",
       {"database"},
       milliseconds(0),
       milliseconds(0),
       [=] { compact(); },
       [] {}},
      // Values of 400 KB, which all members must write to their disks.
      {"busy disks",
       {"database"},
       milliseconds(1000),
       milliseconds(4000),
       [=] { *busy = cluster_.write_much(); },
       [=] { busy->reset(); }},
  };
}

std::vector<Fault> EtcdEngine::key_faults(Random& random) {
  const std::string tag = shared_tag(random);
  const std::int64_t step = random.pick(1, kLeaseIdsMax);
  const auto set_step = [=](std::int64_t ids) {
    check(operator_store("")->update(tag, TagChange(ids)));
  };
  const auto above = [=] {
    std::int64_t highest = 0;
    for (const Move& move : moves()) highest = std::max(highest, move.to);
    return highest + 10 * kLeaseIdsMax;
  };
  return {
      {"step changed",
       {"database"},
       milliseconds(500),
       milliseconds(2000),
       [=] { set_step(step); },
       [=] { set_step(1000); }},
      {"tag moved forward",
       {"database"},
       milliseconds(0),
       milliseconds(0),
       [=] { check(operator_store("")->advance(tag, above(), "campaign")); },
       [] {}},
      {"key deleted and made again",
       {"database"},
       milliseconds(100),
       milliseconds(3000),
       [=] {
         cluster_.ctl({"del", kTags + tag});
       },
       [=] {
         put_row({tag, above(), 1000});
       }},
      {"tag removed and created again",
       {"database"},
       milliseconds(100),
       milliseconds(3000),
       [=] { check(operator_store("")->remove(tag, "campaign")); },
       [=] {
         const Status made = operator_store("")->create(tag, 1000);
         if (made.code() != StatusCode::kAlreadyExists) check(made);
       }},
  };
}

}  // namespace

std::unique_ptr<Engine> make_etcd_engine() { return std::make_unique<EtcdEngine>(); }

}  // namespace featherid::campaign
