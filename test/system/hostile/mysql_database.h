// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_HOSTILE_MYSQL_DATABASE_H_
#define FEATHERID_TEST_SYSTEM_HOSTILE_MYSQL_DATABASE_H_

#include <memory>
#include <string>
#include <vector>

#include "test/support/innodb_server.h"
#include "test/system/hostile/matrix.h"

namespace featherid::test {

// A MariaDB or a MySQL. FeatherID is the user `leaser`, who has rights on the databases `ids`,
// `bare` and `evil`.
class MysqlDatabase final : public HostileDatabase {
 public:
  explicit MysqlDatabase(InnodbServer& server);
  ~MysqlDatabase() override { crash(); }  // a normal end is slow
  MysqlDatabase(const MysqlDatabase&) = delete;
  MysqlDatabase& operator=(const MysqlDatabase&) = delete;

  std::string url() const override { return url_of("ids"); }
  std::string admin_url() const override { return server_.url(); }
  std::string bare_url() const override { return url_of("bare"); }
  std::string bare_admin_url() const override { return server_.url("bare"); }
  void prepare() override;
  void make_another_lead() override {
    run("UPDATE ids.id_leader SET server = '" + std::string(kAnotherServer) + "'");
  }
  void crash() override { server_.stop(SIGKILL); }
  void restart() override {
    server_.start();
    admin_.reset();
  }
  void undo() override {}  // a restart undoes SET GLOBAL

  void run(const std::string& sql);
  int port() const { return server_.port(); }

 private:
  std::string url_of(const std::string& database) const {
    return "mysql://leaser:p@127.0.0.1:" + std::to_string(server_.port()) + "/" + database;
  }

  InnodbServer& server_;
  std::unique_ptr<RawSql> admin_;
};

// What a row's text is, and when it takes effect.
enum class Level {
  kGlobal,  // a variable with its value
  kGlobalAfterLease,
  kInitConnect,  // the same
  kConnect,      // a statement of init_connect
  kTable,        // a statement
  kTableAfterLease,
};

struct Row {
  std::string text;
  std::vector<Level> levels;
  Expectation expectation;
};

extern const std::vector<Level> kGlobalOnly;
extern const std::vector<Level> kSession;
extern const std::vector<Level> kSessionOnly;
extern const std::vector<Level> kEverywhere;
extern const std::vector<Level> kConnect;
extern const std::vector<Level> kTable;

// The statement that sets it.
std::string init_connect(const std::string& statement);

Cell cell_of(MysqlDatabase& database, const Row& row, Level level);
void run_all(const char* name, MysqlDatabase& database, const std::vector<Row>& rows);

// Normally it writes its log once a second. A test must prevent that.
extern const std::vector<std::string> kLazyLog;

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_HOSTILE_MYSQL_DATABASE_H_
