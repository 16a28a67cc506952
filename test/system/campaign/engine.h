// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_ENGINE_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_ENGINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "featherid/tag_admin.h"
#include "test/support/raw_sql.h"
#include "test/system/campaign/load.h"

namespace featherid::campaign {

// Fault::apply throws this if the fault is not possible on this machine. The campaign then goes on.
class NotOnThisMachine : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Something that goes wrong for a while. Both functions run on the campaign's main thread, may take
// seconds, and throw if the fault is not possible.
struct Fault {
  std::string name;  // it is counted under this
  // What it affects ("database", "server-0"). Faults that affect the same thing never overlap.
  std::vector<std::string> touches;
  std::chrono::milliseconds lasts_min;
  std::chrono::milliseconds lasts_max;
  std::function<void()> apply;
  std::function<void()> heal;
};

// A committed change of a tag's max_id: up by a lease, down by a tail that was given back.
struct Move {
  std::string tag;
  std::int64_t from;
  std::int64_t to;
};

// A database set-up and its faults. The constructor starts it with the schema and a log of all
// moves. The database itself writes that log in the transaction of the move (see lease_log.h).
class Engine {
 public:
  virtual ~Engine() = default;

  // The addresses that every process of FeatherID gets.
  virtual std::vector<std::string> urls() const = 0;
  std::string database() const;  // the same as a server's setting
  // Those of the database itself, for an operator's store.
  virtual std::vector<std::string> database_urls() const { return urls(); }
  // The setting `failover` of every process.
  virtual std::string failover() const { return "skip"; }
  // No process records which server leads, so a fault cannot wait for that.
  virtual void drop_guard() {}
  // Whether every acknowledged commit lasts. Otherwise `lossy-commits` is allow, and the only
  // faults are those whose healing does not depend on a lasting commit.
  virtual bool keeps_commits() const { return true; }

  // Whether the rows are in SQL. Otherwise the faults of row_faults.h that need it are left out,
  // and operator_sql() throws.
  virtual bool has_sql() const { return true; }

  // An operator's store, with that setting `failover`, which bypasses the fault proxies.
  virtual std::unique_ptr<Store> operator_store(const std::string& failover) const;
  // Makes the row, or makes it again, past every check.
  virtual void put_row(const SegmentRow& row);
  // Takes a backup of all rows. What it returns restores that.
  virtual std::function<void()> backup();
  // Whether no process gets a lease after that until allow_leases(), not even one that ran when the
  // backup was restored.
  virtual bool refuses_after_restore() const { return false; }
  virtual void allow_leases() {}

  // Whether the database is a file that the processes themselves write.
  virtual bool is_file() const { return false; }

  // An operator's session, which bypasses the fault proxies. Throws while there is no database.
  virtual std::unique_ptr<test::RawSql> operator_sql() = 0;
  // The statement that begins a transaction which locks what it changes.
  virtual std::string begin() const { return "START TRANSACTION"; }

  // Its own faults, besides those of row_faults.h.
  virtual std::vector<Fault> faults(Random& random) = 0;
  // Crashes of the whole database. Half of the processes end with it and start fresh afterwards.
  virtual std::vector<Fault> crashes(Random& /*random*/) { return {}; }

  // Every move that was ever committed. Throws while there is no database.
  virtual std::vector<Move> moves();
  // Its other counts, by name. Throws while there is no database.
  virtual std::vector<std::pair<std::string, std::int64_t>> counts() { return {}; }
};

// Makes the tables before a campaign, with enough time on a busy machine. Throws if that fails.
void make_schema(const std::string& url);

std::string engine_names();  // "galera, mariadb, …"
// Throws for any other name.
std::unique_ptr<Engine> make_engine(const std::string& name);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_ENGINE_H_
