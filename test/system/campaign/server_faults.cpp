// SPDX-License-Identifier: MIT
#include "test/system/campaign/server_faults.h"

#include <csignal>
#include <exception>
#include <stdexcept>
#include <thread>

#include "test/support/frozen.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;

void run_all(Engine& engine, const std::vector<std::string>& statements) {
  const auto sql = engine.operator_sql();
  for (const std::string& statement : statements) sql->run(statement);
}

Fault connection_limit(Engine& engine, test::Forwarder& forwarder, int port) {
  constexpr int kSessionsMax = 100;
  auto sessions = std::make_shared<std::vector<std::unique_ptr<test::RawSql>>>();
  return {"connection limit reached",
          {"database"},
          milliseconds(500),
          milliseconds(2500),
          [=, &engine, &forwarder] {
            forwarder.switch_to(port);
            try {
              while (sessions->size() < kSessionsMax) sessions->push_back(engine.operator_sql());
            } catch (const std::exception&) {
              return;  // as wanted
            }
            throw std::runtime_error("there is no limit of connections");
          },
          [=] { sessions->clear(); }};
}

// Between an operator and a lease. Either may be the victim.
Fault deadlock(Engine& engine, const std::vector<std::string>& provoke_deadlock) {
  auto sql = std::make_shared<std::unique_ptr<test::RawSql>>();
  return {"deadlock",
          {"database"},
          milliseconds(0),
          milliseconds(0),
          [=, &engine] {
            *sql = engine.operator_sql();
            (*sql)->run(engine.begin());
            for (const std::string& statement : provoke_deadlock) (*sql)->run(statement);
            std::this_thread::sleep_for(milliseconds(150));
            try {
              (*sql)->run("UPDATE id_segments SET step = step WHERE biz_tag IN ('order', 'user')");
              (*sql)->run("ROLLBACK");
            } catch (const std::exception&) {  // the victim was this transaction
            }
          },
          [=] { sql->reset(); }};
}

}  // namespace

std::vector<Fault> server_faults(const ServerControl& server) {
  auto frozen = std::make_shared<std::vector<std::unique_ptr<test::Frozen>>>();
  return {
      {"kill -9 of the database",
       {"database"},
       milliseconds(0),
       milliseconds(3000),
       [=] { server.stop(SIGKILL); },
       [=] { server.start(); }},
      {"restart of the database",
       {"database"},
       milliseconds(0),
       milliseconds(500),
       [=] { server.stop(SIGINT); },
       [=] { server.start(); }},
      {"SIGSTOP of the database",
       {"database"},
       milliseconds(2500),
       milliseconds(5000),
       [=] {
         for (const pid_t pid : server.pids()) {
           frozen->push_back(std::make_unique<test::Frozen>(pid));
         }
       },
       [=] { frozen->clear(); }},
  };
}

std::vector<Fault> operator_faults(Engine& engine, test::Forwarder& forwarder, int port,
                                   const OperatorSql& sql) {
  return {
      connection_limit(engine, forwarder, port),
      deadlock(engine, sql.provoke_deadlock),
      {"read-only mode",
       {"database"},
       milliseconds(500),
       milliseconds(3000),
       [=, &engine] { run_all(engine, sql.read_only); },
       [=, &engine] { run_all(engine, sql.writable); }},
      {"wrong password",
       {"database"},
       milliseconds(500),
       milliseconds(3000),
       [=, &engine, &forwarder] {
         run_all(engine, {sql.set_password + "'another'"});
         forwarder.switch_to(port);
       },
       [=, &engine] { run_all(engine, {sql.set_password + "'" + kRightPassword + "'"}); }},
  };
}

}  // namespace featherid::campaign
