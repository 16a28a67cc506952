// SPDX-License-Identifier: MIT
#include <deque>
#include <optional>

#include "test/support/haproxy_server.h"
#include "test/support/mysql_server.h"
#include "test/system/campaign/binary_log.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/lease_log.h"
#include "test/system/campaign/network_faults.h"
#include "test/system/campaign/row_faults.h"
#include "test/system/campaign/server_faults.h"

namespace featherid::campaign {

namespace {

enum class Proxy { kNone, kHaproxy };

template <typename Server>
class MysqlEngine final : public Engine {
 public:
  explicit MysqlEngine(Proxy proxy);

  std::vector<std::string> urls() const override {
    const std::string port = std::to_string(network_.back().port());
    return {"mysql://leaser:" + std::string(kRightPassword) + "@127.0.0.1:" + port + "/ids"};
  }
  std::unique_ptr<test::RawSql> operator_sql() override {
    return std::make_unique<test::RawSql>(server_.url(),
                                          "SET SESSION innodb_lock_wait_timeout = 5");
  }
  std::vector<Fault> faults(Random& random) override;
  std::vector<Move> moves() override { return binary_log_.moves(); }
  std::vector<std::pair<std::string, std::int64_t>> counts() override {
    return {{"connections cut", cuts_of(network_)}};
  }

 private:
  test::ScratchDir scratch_;
  const BinaryLog binary_log_{Server::binary_log_reader(), scratch_.file("binlog")};
  Server server_{binary_log_.flags({"--max-connections=40"})};
  std::optional<test::HaproxyServer> haproxy_;
  // From the server outwards: the way to it, and the way to the proxy if there is one.
  std::deque<test::Forwarder> network_;
  CutProgress cut_progress_;
};

template <typename Server>
MysqlEngine<Server>::MysqlEngine(Proxy proxy) {
  network_.emplace_back(server_.port());
  if (proxy == Proxy::kHaproxy) {
    haproxy_.emplace(
        "tcp", "  server database 127.0.0.1:" + std::to_string(network_.back().port()) + "\n");
    network_.emplace_back(haproxy_->port());
  }
  make_schema(server_.url());
  const auto sql = operator_sql();
  // In a deadlock, the transaction that has changed less dies.
  sql->run("CREATE TABLE weight (x int) ENGINE=InnoDB");
  // Without the rights that overrule read-only mode.
  sql->run("CREATE USER leaser@'%' IDENTIFIED BY '" + std::string(kRightPassword) + "'");
  sql->run("GRANT SELECT, INSERT, UPDATE, DELETE ON ids.* TO leaser@'%'");
}

template <typename Server>
std::vector<Fault> MysqlEngine<Server>::faults(Random& random) {
  std::vector<Fault> faults =
      network_faults(network_.at(random.index(network_.size())), cut_progress_);
  const auto add = [&faults](std::vector<Fault> more) {
    std::move(more.begin(), more.end(), std::back_inserter(faults));
  };
  add(server_faults({[this](int signal) { server_.stop(signal == SIGINT ? SIGTERM : signal); },
                     [this] { server_.start(); },
                     [this] { return std::vector<pid_t>{server_.pid()}; }}));
  std::vector<std::string> hold = {"SELECT biz_tag FROM id_segments LOCK IN SHARE MODE"};
  if (random.percent(50)) {
    hold.emplace_back("INSERT INTO weight VALUES (1), (2), (3), (4), (5), (6), (7), (8)");
  }
  add(operator_faults(*this, network_.front(), server_.port(),
                      {{"SET GLOBAL read_only = 1"},
                       {"SET GLOBAL read_only = 0"},
                       "ALTER USER leaser@'%' IDENTIFIED BY ",
                       hold}));
  add({table_dropped(*this, kNoLeaseLog, "CREATE TABLE id_segments_saved LIKE id_segments")});
  return faults;
}

}  // namespace

std::unique_ptr<Engine> make_mariadb_engine() {
  return std::make_unique<MysqlEngine<test::MariadbServer>>(Proxy::kNone);
}

std::unique_ptr<Engine> make_mariadb_haproxy_engine() {
  return std::make_unique<MysqlEngine<test::MariadbServer>>(Proxy::kHaproxy);
}

std::unique_ptr<Engine> make_mysql_engine() {
  return std::make_unique<MysqlEngine<test::MysqlServer>>(Proxy::kNone);
}

}  // namespace featherid::campaign
