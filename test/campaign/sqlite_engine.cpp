// SPDX-License-Identifier: MIT
#include <stdexcept>

#include "featherid/soci_store.h"
#include "test/campaign/engines.h"
#include "test/campaign/lease_log.h"
#include "test/support/scratch_dir.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;

class SqliteEngine final : public Engine {
 public:
  SqliteEngine() {
    if (const Status made = init_soci_schema(url()); !made.ok()) {
      throw std::runtime_error(made.to_string());
    }
    make_lease_log(*operator_sql(), kSqlite3LeaseLog);
  }

  std::vector<std::string> urls() const override { return {url()}; }
  std::unique_ptr<test::RawSql> operator_sql() override {
    return std::make_unique<test::RawSql>(url(), "PRAGMA busy_timeout = 20000");
  }
  std::string begin() const override { return "BEGIN IMMEDIATE"; }
  std::vector<Fault> faults(Random& random) override;

 private:
  std::string url() const { return "sqlite3:" + scratch_.file("ids.db"); }

  test::ScratchDir scratch_;
};

std::vector<Fault> SqliteEngine::faults(Random&) {
  auto reader = std::make_shared<std::unique_ptr<test::RawSql>>();
  return {{"reader keeps commits out",
           {"database"},
           milliseconds(500),
           milliseconds(4000),
           [=] {
             *reader = operator_sql();
             (*reader)->run("BEGIN");
             (*reader)->number("SELECT COUNT(*) FROM id_segments");
           },
           [=] {
             if (*reader) (*reader)->run("ROLLBACK");
             reader->reset();
           }}};
}

}  // namespace

std::unique_ptr<Engine> make_sqlite_engine() { return std::make_unique<SqliteEngine>(); }

}  // namespace featherid::campaign
