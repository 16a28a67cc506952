// SPDX-License-Identifier: MIT
#include "test/system/hostile/matrix.h"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <sstream>

#include "featherid/soci_store.h"
#include "test/support/catch.h"
#include "test/support/ports.h"
#include "test/system/hostile/first_process.h"

namespace featherid::test {

namespace {

bool holds(const std::string& text, const std::string& part) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool names_all(const std::string& text, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return holds(text, name); });
}

// What process 1 did, and its results, until the crash.
struct Record {
  std::vector<Told> told;
  std::vector<std::string> warnings;
};

Record work_and_crash(const Cell& cell, HostileDatabase& database) {
  const bool skips = std::count(cell.operations.begin(), cell.operations.end(), Operation::kSkip);
  const auto set = [&] {
    if (cell.set) cell.set();
    if (skips) database.make_another_lead();
  };
  Record record;
  if (!cell.after_lease) set();
  const auto url = [&](const std::string& own) {
    return cell.port == 0 ? own : with_port(own, cell.port);
  };
  FirstProcess process(cell, url(database.url()), url(database.bare_url()));
  if (cell.after_lease) {
    record.told.push_back(process.first_lease());
    set();
    process.go();
  }
  for (Told& told : process.operations()) record.told.push_back(std::move(told));
  record.warnings = process.warnings();
  database.crash();
  return record;
}

// Why something that process 1 was told is done did not last; empty: all lasted.
std::string lost(RawSql& rows, const Told& told) {
  const auto column = [&](const char* name) {  // -1: no such row
    return rows.number("SELECT " + std::string(name) + " FROM id_segments WHERE biz_tag = '" +
                       told.tag + "'");
  };
  switch (told.operation) {
    case Operation::kSkip:
      if (told.taken.first <= kSkippedIds) return "it did not skip";
      if (rows.text("SELECT server FROM id_leader") == kAnotherServer) return "leader lost";
      return rows.number("SELECT COALESCE(min(max_id), 0) FROM id_segments WHERE biz_tag <> '" +
                         tag_of(Operation::kCreate) + "'") < kSkippedIds
                 ? "skip lost"
                 : "";
    case Operation::kCreate:
      return column("step") == kCreatedStep ? "" : "row lost";
    case Operation::kSetStep:
      return column("step") == kStepSet ? "" : "step lost";
    case Operation::kAdvance:
      return column("max_id") >= kAdvancedTo ? "" : "position lost";
    case Operation::kGiveBack:
      return column("max_id") == told.taken.last() ? "" : "give-back lost";
    default:
      return "";
  }
}

// Why a second process gets an id of process 1 again; empty: it gets none.
std::string repeated(const HostileDatabase& database, const Told& told) {
  if (told.taken.empty()) return "";
  const bool bare = told.operation == Operation::kInitSchema;
  const std::string url = bare ? database.bare_admin_url() : database.admin_url();
  const Result<IdRange> range = (*open_soci_store(url))->lease(told.tag, told.taken.size());
  std::ostringstream text;
  if (!range.ok()) {
    text << "process 2: " << range.status();
  } else if (range->first < told.taken.end) {
    text << "TWICE: process 1 has " << told.taken << ", process 2 gets " << *range;
  }
  return text.str();
}

// Why a refusal is not the one that the cell expects; empty: it is.
std::string unwanted(const Told& told, const Expectation& expectation) {
  std::ostringstream text;
  const bool wanted = expectation.may_refuse && names_all(told.status.message(), expectation.names);
  const bool lasts = told.status.code() == StatusCode::kFailedPrecondition;
  if (!wanted || (!expectation.may_succeed && !lasts)) text << told.status;
  return text.str();
}

// An operation that promises no ids may also succeed, if it lasts.
bool must_be_refused(const Told& told, const Expectation& expectation) {
  const bool leases = told.operation == Operation::kSkip || told.operation == Operation::kLease ||
                      told.operation == Operation::kGiveBack;
  return !expectation.may_succeed && leases && told.tag != kFirstTag;
}

}  // namespace

const char* to_string(Operation operation) {
  switch (operation) {
    case Operation::kSkip:
      return "skip";
    case Operation::kInitSchema:
      return "init-schema";
    case Operation::kCreate:
      return "create";
    case Operation::kSetStep:
      return "set-step";
    case Operation::kAdvance:
      return "advance";
    case Operation::kGiveBack:
      return "give-back";
    case Operation::kLease:
      break;
  }
  return "lease";
}

std::vector<Operation> all_operations() {
  return {Operation::kSkip,    Operation::kInitSchema, Operation::kCreate, Operation::kSetStep,
          Operation::kAdvance, Operation::kGiveBack,   Operation::kLease};
}

Expectation serves() { return {}; }
Expectation warns(const std::string& name) { return {true, false, true, {name}}; }
Expectation refuses(std::vector<std::string> names) {
  return {false, true, true, std::move(names)};
}
Expectation serves_or_refuses(const std::string& name) { return {true, true, false, {name}}; }
Expectation warns_or_refuses(const std::string& name) { return {true, true, true, {name}}; }

std::vector<std::string> rows_wanted() {
  std::vector<std::string> tags = {kFirstTag};
  for (const Operation operation : all_operations()) {
    if (operation != Operation::kCreate && operation != Operation::kInitSchema) {
      tags.push_back(tag_of(operation));
    }
  }
  return tags;
}

void Matrix::run(const Cell& cell) {
  INFO(cell.name);
  ++cells_;
  std::vector<std::string> faults;
  try {
    faults = faults_of(cell);
  } catch (const std::exception& error) {
    faults.emplace_back(error.what());
  }
  if (faults.empty()) return;
  ++failed_;
  std::string all;
  for (const std::string& fault : faults) all += "\n    " + fault;
  FAIL_CHECK(name_ << ", " << cell.name << ":" << all);
}

std::vector<std::string> Matrix::faults_of(const Cell& cell) {
  database_.prepare();
  const Record record = work_and_crash(cell, database_);
  database_.restart();
  database_.undo();
  if (cell.undo) cell.undo();
  std::vector<std::string> faults;
  const auto note = [&faults](const Told& told, const std::string& fault) {
    if (!fault.empty()) faults.push_back(std::string(to_string(told.operation)) + ": " + fault);
  };
  bool told_of = false;
  auto rows = std::make_unique<RawSql>(database_.admin_url());
  for (const Told& told : record.told) {
    ++operations_;
    const bool refused = !told.status.ok();
    if (refused) ++refused_;
    told_of = told_of || refused;
    note(told, refused ? unwanted(told, cell.expectation) : lost(*rows, told));
    if (!refused && must_be_refused(told, cell.expectation)) note(told, "was not refused");
  }
  rows.reset();  // it would keep a SQLite file in its mode
  for (const Told& told : record.told) {
    // Leases may be lost if somebody made the table forget them, but not if the second process
    // leases them again.
    const bool forgotten = cell.after_lease && cell.expectation.must_tell;
    const std::string fault = repeated(database_, told);
    if (!forgotten || fault.rfind("TWICE", 0) == 0) note(told, fault);
  }
  const std::vector<std::string>& names = cell.expectation.names;
  const bool warned = std::any_of(record.warnings.begin(), record.warnings.end(),
                                  [&](const auto& text) { return names_all(text, names); });
  if (warned && !names.empty()) ++warned_;
  if (cell.expectation.must_tell && !warned && !told_of) faults.emplace_back("reports nothing");
  return faults;
}

void Matrix::run_each_alone(Cell cell) {
  const std::string name = cell.name;
  for (const Operation operation : std::exchange(cell.operations, {})) {
    cell.operations = {operation};
    cell.name = name + ", " + to_string(operation) + " alone";
    run(cell);
  }
  cell.failover = Failover::kSynchronous;
  cell.operations = {Operation::kLease};
  cell.name = name + ", lease only, without a guard";
  run(cell);
}

Matrix::~Matrix() {
  std::cout << name_ << ": " << cells_ << " cells, each with a crash; " << operations_
            << " operations, " << refused_ << " of them refused; " << warned_
            << " cells warned by name; " << failed_ << " cells failed; "
            << static_cast<int>(stopwatch_.elapsed().count()) << " s" << std::endl;
}

}  // namespace featherid::test
