// SPDX-License-Identifier: MIT
#include "test/system/hostile/postgresql_database.h"

#include <stdexcept>

#include "featherid/soci_store.h"
#include "test/support/wait_until.h"

namespace featherid::test {

// Its WAL writer would soon save what a commit left unsaved. A test must prevent that.
PostgresqlDatabase::PostgresqlDatabase()
    : server_(
          {"-c", "wal_writer_delay=10s", "-c", "autovacuum=off", "-c", "checkpoint_timeout=1h"}) {
  RawSql sql(server_.url("postgres"));
  sql.run("CREATE ROLE leaser LOGIN PASSWORD 'p'");
  sql.run("CREATE ROLE evil");
  sql.run("GRANT evil TO leaser");
  sql.run("CREATE DATABASE bare");
  sql.run("GRANT CREATE ON DATABASE ids TO leaser");
}

void PostgresqlDatabase::prepare() {
  for (const char* database : {"ids", "bare"}) {
    RawSql sql(server_.url(database));
    sql.run("DROP SCHEMA IF EXISTS public, evil, leaser CASCADE");
    sql.run("CREATE SCHEMA public");
    sql.run("GRANT ALL ON SCHEMA public TO leaser, evil");
  }
  if (const Status made = init_soci_schema(url()); !made.ok()) {
    throw std::runtime_error(made.to_string());
  }
  RawSql sql(server_.url("ids"));
  for (const std::string& tag : rows_wanted()) {
    sql.run("INSERT INTO id_segments (biz_tag) VALUES ('" + tag + "')");
  }
}

// Must not be saved, because that would save everything before it.
void PostgresqlDatabase::make_another_lead() {
  RawSql sql(server_.url("ids"), "SET synchronous_commit = off");
  sql.run("UPDATE public.id_leader SET server = '" + std::string(kAnotherServer) + "'");
}

// Written only for the next start: recovery would otherwise spend seconds saving every file.
void PostgresqlDatabase::crash() {
  RawSql(server_.url("postgres")).run("ALTER SYSTEM SET fsync = off");
  server_.stop(SIGKILL);
}

void PostgresqlDatabase::undo() {
  RawSql sql(server_.url("postgres"));
  sql.run("ALTER SYSTEM RESET ALL");
  sql.run("ALTER ROLE leaser RESET ALL");
  for (const char* database : {"ids", "bare"}) {
    sql.run("ALTER DATABASE " + std::string(database) + " RESET ALL");
    sql.run("ALTER ROLE leaser IN DATABASE " + std::string(database) + " RESET ALL");
  }
  reload();
}

bool PostgresqlDatabase::has_parameter(const std::string& name) {
  return RawSql(admin_url())
             .number("SELECT count(*) FROM pg_settings WHERE name = '" + name + "'") > 0;
}

void PostgresqlDatabase::keep_from_admin(const std::string& name) {
  RawSql sql(server_.url("postgres"));
  const std::string setting = " FROM pg_settings WHERE name = '" + name + "'";
  const std::string context = sql.text("SELECT context" + setting);
  if (context != "user" && context != "superuser") return;
  sql.run("ALTER ROLE featherid SET " + name + " = " +
          in_sql(name, sql.text("SELECT boot_val" + setting)));
}

void PostgresqlDatabase::set_system(const std::string& name, const std::string& value) {
  RawSql(server_.url("postgres")).run("ALTER SYSTEM SET " + name + " = " + in_sql(name, value));
  reload();
}

void PostgresqlDatabase::end_sessions() {
  RawSql sql(server_.url("postgres"));
  const std::string theirs = " FROM pg_stat_activity WHERE usename = 'leaser'";
  sql.run("SELECT pg_terminate_backend(pid)" + theirs);
  if (!wait_until([&] { return sql.number("SELECT count(*)" + theirs) == 0; })) {
    throw std::runtime_error("a session goes on");
  }
}

std::string PostgresqlDatabase::in_sql(const std::string& name, const std::string& value) {
  return name == "search_path" ? value : "'" + value + "'";
}

void PostgresqlDatabase::reload() {
  const auto loaded_at = [this] {
    return RawSql(server_.url("postgres")).text("SELECT pg_conf_load_time()");
  };
  const std::string before = loaded_at();
  RawSql(server_.url("postgres")).run("SELECT pg_reload_conf()");
  // A new session has the postmaster's values, and the other processes have them by then.
  if (!wait_until([&] { return loaded_at() != before; })) throw std::runtime_error("no reload");
}

}  // namespace featherid::test
