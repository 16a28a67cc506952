// SPDX-License-Identifier: MIT
#include <deque>
#include <optional>

#include "test/support/pgbouncer_server.h"
#include "test/support/postgresql_server.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/lease_log.h"
#include "test/system/campaign/network_faults.h"
#include "test/system/campaign/row_faults.h"
#include "test/system/campaign/server_faults.h"

namespace featherid::campaign {

namespace {

// A pooler: its pool_mode, and how many connections to the server it keeps. In mode `session` it
// keeps one for each session of the processes.
struct Pooler {
  std::string mode;
  int pool_size;
};

// Server and pooler return from a fault before the processes' timeouts.
std::string healing(const Pooler& pooler) {
  return "default_pool_size = " + std::to_string(pooler.pool_size) +
         "\nmax_client_conn = 500\nserver_login_retry = 1\nserver_connect_timeout = 2\n"
         "server_idle_timeout = 5\n";
}

class PostgresqlEngine final : public Engine {
 public:
  explicit PostgresqlEngine(const std::string& synchronous_commit,
                            const std::optional<Pooler>& pooler = std::nullopt);

  std::vector<std::string> urls() const override {
    const std::string port = std::to_string(network_.back().port());
    return {"postgresql://leaser:" + std::string(kRightPassword) + "@127.0.0.1:" + port + "/ids"};
  }
  // A crash does not undo what an operator has done.
  std::unique_ptr<test::RawSql> operator_sql() override {
    return std::make_unique<test::RawSql>(server_.url(), "SET synchronous_commit = on");
  }
  std::vector<Fault> faults(Random& random) override;
  std::vector<std::pair<std::string, std::int64_t>> counts() override {
    return {{"connections cut", cuts_of(network_)}};
  }

 private:
  test::PostgresqlServer server_;
  std::optional<test::PgbouncerServer> pooler_;
  // From the server outwards: the way to it, and the way to the pooler if there is one.
  std::deque<test::Forwarder> network_;
  CutProgress cut_progress_;
};

PostgresqlEngine::PostgresqlEngine(const std::string& synchronous_commit,
                                   const std::optional<Pooler>& pooler)
    : server_({"-c", "synchronous_commit=" + synchronous_commit, "-c", "deadlock_timeout=200ms"}) {
  network_.emplace_back(server_.port());
  if (pooler) {
    const std::vector<test::PgbouncerServer::User> users = {{"leaser", kRightPassword}};
    pooler_.emplace(network_.back().port(), pooler->mode, users, healing(*pooler));
    network_.emplace_back(pooler_->port());
  }
  make_schema(server_.url());
  const auto sql = operator_sql();
  make_lease_log(*sql, kPostgresqlLeaseLog);
  sql->run("CREATE ROLE leaser LOGIN PASSWORD '" + std::string(kRightPassword) + "'");
  sql->run("GRANT ALL ON ALL TABLES IN SCHEMA public TO leaser");
  sql->run("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO leaser");
}

std::vector<Fault> PostgresqlEngine::faults(Random& random) {
  std::vector<Fault> faults =
      network_faults(network_.at(random.index(network_.size())), cut_progress_);
  const auto add = [&faults](std::vector<Fault> more) {
    std::move(more.begin(), more.end(), std::back_inserter(faults));
  };
  add(server_faults({[this](int signal) { server_.stop(signal); }, [this] { server_.start(); },
                     [this] { return server_.pids(); }}));
  const std::string reload = "SELECT pg_reload_conf()";
  add(operator_faults(*this, network_.front(), server_.port(),
                      {{"ALTER SYSTEM SET default_transaction_read_only = on", reload},
                       {"ALTER SYSTEM RESET default_transaction_read_only", reload},
                       "ALTER ROLE leaser PASSWORD ",
                       {"LOCK TABLE lease_log IN SHARE MODE"}}));
  add({table_dropped(*this, kPostgresqlLeaseLog,
                     "CREATE TABLE id_segments_saved (LIKE id_segments INCLUDING ALL)")});
  return faults;
}

}  // namespace

std::unique_ptr<Engine> make_postgresql_engine() {
  return std::make_unique<PostgresqlEngine>("on");
}

std::unique_ptr<Engine> make_postgresql_async_engine() {
  return std::make_unique<PostgresqlEngine>("off");
}

std::unique_ptr<Engine> make_postgresql_pgbouncer_engine() {
  return std::make_unique<PostgresqlEngine>("on", Pooler{"transaction", 8});
}

std::unique_ptr<Engine> make_postgresql_pgbouncer_session_engine() {
  return std::make_unique<PostgresqlEngine>("on", Pooler{"session", 35});
}

}  // namespace featherid::campaign
