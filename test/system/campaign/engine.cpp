// SPDX-License-Identifier: MIT
#include "test/system/campaign/engine.h"

#include <chrono>
#include <map>
#include <stdexcept>

#include "featherid/soci_store.h"
#include "test/system/campaign/engines.h"
#include "test/system/campaign/lease_log.h"

namespace featherid::campaign {

namespace {

const std::map<std::string, std::unique_ptr<Engine> (*)()>& engines() {
  static const std::map<std::string, std::unique_ptr<Engine> (*)()> kEngines = {
      {"etcd", make_etcd_engine},
      {"sqlite", make_sqlite_engine},
      {"mariadb", make_mariadb_engine},
      {"mariadb-haproxy", make_mariadb_haproxy_engine},
      {"mariadb-replica", make_mariadb_replica_engine},
      {"mysql", make_mysql_engine},
      {"mysql-replica", make_mysql_replica_engine},
      {"galera", make_galera_engine},
      {"galera-crashes", make_galera_crashes_engine},
      {"galera-lossy", make_galera_lossy_engine},
      {"group-replication", make_group_replication_engine},
      {"tier-sqlite", [] { return make_tier_engine(make_sqlite_engine()); }},
      {"tier-mariadb", [] { return make_tier_engine(make_mariadb_engine()); }},
      {"tier-mariadb-replica", [] { return make_tier_engine(make_mariadb_replica_engine()); }},
      {"postgresql", make_postgresql_engine},
      {"postgresql-async", make_postgresql_async_engine},
      {"postgresql-pgbouncer", make_postgresql_pgbouncer_engine},
      {"postgresql-pgbouncer-session", make_postgresql_pgbouncer_session_engine}};
  return kEngines;
}

}  // namespace

std::string Engine::database() const {
  std::string text;
  for (const std::string& url : urls()) text += (text.empty() ? "" : " ") + url;
  return text;
}

std::unique_ptr<Store> Engine::operator_store(const std::string& failover) const {
  SociStoreOptions options;
  options.failover = failover == "stop"          ? Failover::kStop
                     : failover == "synchronous" ? Failover::kSynchronous
                                                 : Failover::kSkip;
  options.lossy_commits = keeps_commits() ? LossyCommits::kRefuse : LossyCommits::kAllow;
  return open_soci_store(database_urls(), options).value();
}

void Engine::put_row(const SegmentRow& row) {
  const auto sql = operator_sql();
  sql->run(begin());
  sql->run("DELETE FROM id_segments WHERE biz_tag = '" + row.tag + "'");
  test::insert_row(*sql, row);
  sql->run("COMMIT");
}

std::function<void()> Engine::backup() {
  const Result<std::vector<TagInfo>> rows = operator_store(failover())->list();
  if (!rows.ok()) throw std::runtime_error(rows.status().to_string());
  return [this, rows = *rows] {
    const auto sql = operator_sql();
    sql->run(begin());
    sql->run("DELETE FROM id_segments");
    for (const TagInfo& row : rows) test::insert_row(*sql, row);
    sql->run("COMMIT");
  };
}

std::vector<Move> Engine::moves() { return read_lease_log(*operator_sql()); }

void make_schema(const std::string& url) {
  SociStoreOptions patient;
  patient.call_timeout = std::chrono::seconds(60);
  const Status made = init_soci_schema(url, patient);
  if (!made.ok()) throw std::runtime_error(made.to_string());
}

std::string engine_names() {
  std::string names;
  for (const auto& [name, make] : engines()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

std::unique_ptr<Engine> make_engine(const std::string& name) {
  const auto found = engines().find(name);
  if (found != engines().end()) return found->second();
  throw std::runtime_error("no engine " + name + "; there are: " + engine_names());
}

}  // namespace featherid::campaign
