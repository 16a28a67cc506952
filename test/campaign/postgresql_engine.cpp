// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "featherid/soci_store.h"
#include "test/campaign/engines.h"
#include "test/campaign/lease_log.h"
#include "test/campaign/network_faults.h"
#include "test/campaign/row_faults.h"
#include "test/campaign/server_faults.h"
#include "test/support/postgresql_server.h"

namespace featherid::campaign {

namespace {

class PostgresqlEngine final : public Engine {
 public:
  explicit PostgresqlEngine(const std::string& synchronous_commit);

  std::vector<std::string> urls() const override {
    const std::string port = std::to_string(forwarder_.port());
    return {"postgresql://leaser:" + std::string(kRightPassword) + "@127.0.0.1:" + port + "/ids"};
  }
  // What an operator has done is not taken back by a crash.
  std::unique_ptr<test::RawSql> operator_sql() override {
    return std::make_unique<test::RawSql>(server_.url(), "SET synchronous_commit = on");
  }
  std::vector<Fault> faults(Random& random) override;
  std::vector<std::pair<std::string, std::int64_t>> counts() const override {
    return {{"connections cut", forwarder_.cuts()}};
  }

 private:
  test::PostgresqlServer server_;
  test::Forwarder forwarder_{server_.port()};
  CutProgress cut_progress_;
};

PostgresqlEngine::PostgresqlEngine(const std::string& synchronous_commit)
    : server_({"-c", "synchronous_commit=" + synchronous_commit, "-c", "deadlock_timeout=200ms"}) {
  if (const Status made = init_soci_schema(server_.url()); !made.ok()) {
    throw std::runtime_error(made.to_string());
  }
  const auto sql = operator_sql();
  make_lease_log(*sql, kPostgresqlLeaseLog);
  sql->run("CREATE ROLE leaser LOGIN PASSWORD '" + std::string(kRightPassword) + "'");
  sql->run("GRANT ALL ON ALL TABLES IN SCHEMA public TO leaser");
  sql->run("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO leaser");
}

std::vector<Fault> PostgresqlEngine::faults(Random&) {
  std::vector<Fault> faults = network_faults(forwarder_, cut_progress_);
  const auto add = [&faults](std::vector<Fault> more) {
    std::move(more.begin(), more.end(), std::back_inserter(faults));
  };
  add(server_faults({[this](int signal) { server_.stop(signal); }, [this] { server_.start(); },
                     [this] { return server_.pids(); }}));
  const std::string reload = "SELECT pg_reload_conf()";
  add(operator_faults(*this, forwarder_, server_.port(),
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

}  // namespace featherid::campaign
