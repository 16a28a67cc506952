// SPDX-License-Identifier: MIT
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/frozen.h"
#include "test/support/group_replication.h"
#include "test/support/mysql_server.h"
#include "test/system/campaign/binary_log.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/network_faults.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;
using test::GroupReplication;

SociStoreOptions options() {
  SociStoreOptions options;
  options.call_timeout = std::chrono::seconds(2);
  options.failover = Failover::kSynchronous;
  return options;
}

// Three members. Every process has all addresses. The way to the first one can fail, whether it is
// the primary or not.
class GroupReplicationEngine final : public Engine {
 public:
  GroupReplicationEngine() {
    if (const Status made = init_soci_schema(urls(), options()); !made.ok()) {
      throw std::runtime_error(made.to_string());
    }
  }

  std::vector<std::string> urls() const override {
    std::vector<std::string> urls = GroupReplication::urls();
    urls[0] = "mysql://featherid@127.0.0.1:" + std::to_string(forwarder_.port()) + "/ids";
    return urls;
  }
  std::string failover() const override { return "synchronous"; }
  std::unique_ptr<test::RawSql> operator_sql() override;
  std::vector<Fault> faults(Random& random) override;
  std::vector<Move> moves() override;
  std::vector<std::pair<std::string, std::int64_t>> counts() override {
    return {{"connections cut", forwarder_.cuts()}};
  }

 private:
  std::size_t writable() const;  // throws while there is none
  std::vector<Fault> member_faults(Random& random);
  void come_back_alone(std::size_t member);
  void restart_all();

  GroupReplication group_;  // first: may be made only while there is one thread
  test::Forwarder forwarder_{GroupReplication::kPort, GroupReplication::address(0)};
  CutProgress cut_progress_;
};

std::size_t GroupReplicationEngine::writable() const {
  if (const std::optional<std::size_t> primary = group_.primary()) return *primary;
  throw std::runtime_error("no primary has a majority");
}

std::unique_ptr<test::RawSql> GroupReplicationEngine::operator_sql() {
  return std::make_unique<test::RawSql>(GroupReplication::url(writable()),
                                        "SET SESSION innodb_lock_wait_timeout = 5");
}

// A member that was away has fetched what it missed and logged it like everything else.
std::vector<Move> GroupReplicationEngine::moves() {
  return BinaryLog(test::MysqlServer::binary_log_reader(), group_.binary_log(writable())).moves();
}

void GroupReplicationEngine::restart_all() {
  for (std::size_t member = 0; member < GroupReplication::kMembers; ++member) {
    group_.stop(member);
    group_.start(member);
  }
}

// It is writable and has the rows of the moment it left.
void GroupReplicationEngine::come_back_alone(std::size_t member) {
  group_.start_alone(member);
  std::this_thread::sleep_for(milliseconds(3000));
  group_.client(member).tell("START GROUP_REPLICATION");
  group_.await_online(member);
}

std::vector<Fault> GroupReplicationEngine::faults(Random& random) {
  std::vector<Fault> faults = network_faults(forwarder_, cut_progress_);
  std::vector<Fault> more = member_faults(random);
  std::move(more.begin(), more.end(), std::back_inserter(faults));
  return faults;
}

std::vector<Fault> GroupReplicationEngine::member_faults(Random& random) {
  // The primary, if there is one, more often than not.
  const auto other = static_cast<std::size_t>(
      random.pick(0, static_cast<std::int64_t>(GroupReplication::kMembers) - 1));
  const std::size_t member = random.percent(60) ? group_.primary().value_or(other) : other;
  auto frozen = std::make_shared<std::unique_ptr<test::Frozen>>();
  return {
      {"kill -9 of a member",
       {"database"},
       milliseconds(0),
       milliseconds(10000),
       [=] { group_.stop(member, SIGKILL); },
       [=] { group_.start(member); }},
      {"kill -9 of a member, which comes back alone",
       {"database"},
       milliseconds(0),
       milliseconds(10000),
       [=] { group_.stop(member, SIGKILL); },
       [=] { come_back_alone(member); }},
      {"a member cut off from the others",
       {"database"},
       milliseconds(3000),
       milliseconds(12000),
       [=] { group_.isolate(member); },
       [=] {
         group_.reconnect(member);
         group_.await_online(member);
       }},
      {"SIGSTOP of a member",
       {"database"},
       milliseconds(3000),
       milliseconds(12000),
       [=] { *frozen = std::make_unique<test::Frozen>(group_.pid(member)); },
       [=] {
         frozen->reset();
         group_.await_online(member);
       }},
      {"rolling restart of all members",
       {"database"},
       milliseconds(0),
       milliseconds(0),
       [=] { restart_all(); },
       [] {}},
      {"another primary by order",
       {"database"},
       milliseconds(0),
       milliseconds(500),
       [=] { group_.make_primary(other); },
       [] {}},
      {"several primaries",
       {"database"},
       milliseconds(2000),
       milliseconds(8000),
       [=] { group_.set_multi_primary(true); },
       [=] { group_.set_multi_primary(false); }},
  };
}

}  // namespace

std::unique_ptr<Engine> make_group_replication_engine() {
  return std::make_unique<GroupReplicationEngine>();
}

}  // namespace featherid::campaign
