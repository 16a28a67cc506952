// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_HOSTILE_MATRIX_H_
#define FEATHERID_TEST_HOSTILE_MATRIX_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "test/support/raw_sql.h"
#include "test/support/stopwatch.h"

// The matrix of hostile settings. In each cell a process works under one setting, then the database
// and the process are killed, and a second process leases. No id may come twice, and what the first
// process was told to be done must still be there.
namespace featherid::test {

enum class Operation { kSkip, kInitSchema, kCreate, kSetStep, kAdvance, kGiveBack, kLease };
const char* to_string(Operation operation);

// In this order nothing undoes what came before. SQLite has no leaders, hence no kSkip.
std::vector<Operation> all_operations();

// What must become of the operations. A refusal or a warning must hold all of `names`.
struct Expectation {
  bool may_succeed = true;
  bool may_refuse = false;
  bool must_tell = false;  // by a warning or by a refusal
  std::vector<std::string> names;
};

// The rows that prepare() makes besides those of the schema.
std::vector<std::string> rows_wanted();

Expectation serves();
Expectation warns(const std::string& name);
Expectation refuses(std::vector<std::string> names);  // kFailedPrecondition, and every lease
Expectation serves_or_refuses(const std::string& name);
Expectation warns_or_refuses(const std::string& name);

struct Cell {
  std::string name;
  Expectation expectation;
  std::vector<Operation> operations;
  std::function<void()> set;             // null: `environment` is all
  bool after_lease = false;              // set() runs when process 1 has leased once
  std::vector<std::string> environment;  // of process 1, "NAME=value"
  int port = 0;                          // that process 1 connects to; 0: the database's
  std::function<void()> undo;            // besides HostileDatabase::undo()
  Failover failover = Failover::kSkip;   // of process 1
};

// What the matrix asks of an engine.
class HostileDatabase {
 public:
  virtual ~HostileDatabase() = default;

  virtual std::string url() const = 0;        // of FeatherID: no superuser
  virtual std::string admin_url() const = 0;  // the same database
  virtual std::string bare_url() const = 0;   // of FeatherID: another database, without tables
  virtual std::string bare_admin_url() const = 0;
  virtual void prepare() = 0;  // a fresh schema, and no trace of any cell
  virtual void make_another_lead() = 0;
  virtual void crash() = 0;  // kill -9, at once
  virtual void restart() = 0;
  virtual void undo() = 0;  // no setting is left
};

// The name that make_another_lead() writes into id_leader.
constexpr char kAnotherServer[] = "another server";

class Matrix {
 public:
  explicit Matrix(std::string name, HostileDatabase& database)
      : name_(std::move(name)), database_(database) {}
  ~Matrix();  // prints a summary
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  void run(const Cell& cell);
  // With one crash for each operation, for a later one that is safe makes the earlier ones safe,
  // too; and without the failover guard, whose transaction may do so.
  void run_each_alone(Cell cell);

 private:
  std::vector<std::string> faults_of(const Cell& cell);

  std::string name_;
  HostileDatabase& database_;
  Stopwatch stopwatch_;
  int cells_ = 0;
  int operations_ = 0;
  int refused_ = 0;
  int warned_ = 0;
  int failed_ = 0;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_HOSTILE_MATRIX_H_
