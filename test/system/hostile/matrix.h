// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_HOSTILE_MATRIX_H_
#define FEATHERID_TEST_SYSTEM_HOSTILE_MATRIX_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "test/support/raw_sql.h"
#include "test/support/stopwatch.h"

// The matrix of hostile settings. In each cell a process works under one setting, then the database
// and the process are killed, and a second process leases. No id may come twice, and everything
// that the first process was told is done must last.
namespace featherid::test {

enum class Operation { kSkip, kInitSchema, kCreate, kSetStep, kAdvance, kGiveBack, kLease };
const char* to_string(Operation operation);

// In this order no operation undoes an earlier one. SQLite has no leaders, so it has no kSkip.
std::vector<Operation> all_operations();

// The expected results. A refusal or a warning must contain all of `names`.
struct Expectation {
  bool may_succeed = true;
  bool may_refuse = false;
  bool must_tell = false;  // by a warning or by a refusal
  std::vector<std::string> names;
};

// The rows that prepare() creates besides those of the schema.
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
  std::function<void()> set;             // null: only `environment` is set
  bool after_lease = false;              // set() runs after the first lease of process 1
  std::vector<std::string> environment;  // of process 1, "NAME=value"
  int port = 0;                          // process 1 connects to it; 0: the database's
  std::function<void()> undo;            // besides HostileDatabase::undo()
  Failover failover = Failover::kSkip;   // of process 1
};

// What the matrix needs of an engine.
class HostileDatabase {
 public:
  virtual ~HostileDatabase() = default;

  virtual std::string url() const = 0;        // of FeatherID: no superuser
  virtual std::string admin_url() const = 0;  // the same database
  virtual std::string bare_url() const = 0;   // of FeatherID: another database, without tables
  virtual std::string bare_admin_url() const = 0;
  virtual void prepare() = 0;  // a fresh schema without a trace of any cell
  virtual void make_another_lead() = 0;
  virtual void crash() = 0;  // kill -9, at once
  virtual void restart() = 0;
  virtual void undo() = 0;  // removes every setting
};

// The name that make_another_lead() writes to id_leader.
constexpr char kAnotherServer[] = "another server";

class Matrix {
 public:
  explicit Matrix(std::string name, HostileDatabase& database)
      : name_(std::move(name)), database_(database) {}
  ~Matrix();  // prints a summary
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  void run(const Cell& cell);
  // Also with one crash for each operation, because a later safe one makes earlier ones safe, and
  // without the failover guard, whose transaction may do the same.
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

#endif  // FEATHERID_TEST_SYSTEM_HOSTILE_MATRIX_H_
