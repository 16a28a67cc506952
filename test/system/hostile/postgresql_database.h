// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_HOSTILE_POSTGRESQL_DATABASE_H_
#define FEATHERID_TEST_SYSTEM_HOSTILE_POSTGRESQL_DATABASE_H_

#include <memory>
#include <string>

#include "test/support/postgresql_server.h"
#include "test/system/hostile/matrix.h"

namespace featherid::test {

// FeatherID is the role `leaser`, which owns what it creates in the databases `ids` and `bare`.
class PostgresqlDatabase final : public HostileDatabase {
 public:
  PostgresqlDatabase();

  std::string url() const override { return url_of("ids"); }
  std::string admin_url() const override { return server_.url("ids"); }
  std::string bare_url() const override { return url_of("bare"); }
  std::string bare_admin_url() const override { return server_.url("bare"); }
  void prepare() override;
  void make_another_lead() override;
  void crash() override;
  void restart() override { server_.start(); }
  void undo() override;

  int port() const { return server_.port(); }
  // As a superuser, in `ids`:
  void run(const std::string& sql) { RawSql(server_.url("ids")).run(sql); }
  bool has_parameter(const std::string& name);
  // The superuser has the parameter's default from now on, whatever its setting.
  void keep_from_admin(const std::string& name);
  // ALTER SYSTEM, and a reload that has taken effect.
  void set_system(const std::string& name, const std::string& value);
  // FeatherID's sessions. A pooler gives its clients new ones, and they do not notice.
  void end_sessions();
  // A parameter's value in a statement. A list of names is not quoted as one value.
  static std::string in_sql(const std::string& name, const std::string& value);

 private:
  std::string url_of(const std::string& database) const {
    return "postgresql://leaser:p@127.0.0.1:" + std::to_string(server_.port()) + "/" + database;
  }
  void reload();

  PostgresqlServer server_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_HOSTILE_POSTGRESQL_DATABASE_H_
