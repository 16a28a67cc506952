// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_CAMPAIGN_ENGINE_H_
#define FEATHERID_TEST_CAMPAIGN_ENGINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "test/campaign/load.h"
#include "test/support/raw_sql.h"

namespace featherid::campaign {

// What Fault::apply throws where the machine cannot have the fault: it is no fault of the
// campaign's.
class NotOnThisMachine : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Something that goes wrong for a while. Both functions run on the campaign's main thread, may take
// seconds, and throw where the fault cannot be had.
struct Fault {
  std::string name;  // it is counted under this
  // What it lays hands on ("database", "server-0"). Of two faults that touch the same, one is over
  // before the other begins.
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

// A database set-up, with all that can go wrong with it. It starts in the constructor, with the
// schema and a log of all moves that the database itself keeps, in the transaction of the move (see
// lease_log.h).
class Engine {
 public:
  virtual ~Engine() = default;

  // The addresses that every process of FeatherID is given.
  virtual std::vector<std::string> urls() const = 0;
  std::string database() const;  // the same as a server's setting
  // The setting `failover` of every process.
  virtual std::string failover() const { return "skip"; }
  // Whether every commit that was acknowledged is there for good. Else `lossy-commits` is allow,
  // and only faults come whose healing needs no commit to last.
  virtual bool keeps_commits() const { return true; }

  // Whether the processes themselves write the database, a file.
  virtual bool is_file() const { return false; }

  // A session of an operator, who goes around the fault proxies. Throws while there is no database.
  virtual std::unique_ptr<test::RawSql> operator_sql() = 0;
  // What begins a transaction that locks what it changes.
  virtual std::string begin() const { return "START TRANSACTION"; }

  // Its own faults; those of rows.h come on top.
  virtual std::vector<Fault> faults(Random& random) = 0;
  // Crashes of the whole database: half of the processes are ended with it, and are fresh ones
  // when they come back.
  virtual std::vector<Fault> crashes(Random& /*random*/) { return {}; }

  // Every move that was ever committed. Throws while there is no database.
  virtual std::vector<Move> moves();
  // What it has counted besides, by name. Throws while there is no database.
  virtual std::vector<std::pair<std::string, std::int64_t>> counts() { return {}; }
};

std::string engine_names();  // "galera, mariadb, …"
// Throws for a name that is none of them.
std::unique_ptr<Engine> make_engine(const std::string& name);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_CAMPAIGN_ENGINE_H_
