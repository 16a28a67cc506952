// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_COUNTERS_H_
#define FEATHERID_SERVER_STORE_COUNTERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/store/stores.h"

namespace featherid {

// What another program counts its ids with.
struct CounterSource {
  enum class Kind { kLeaf, kTinyId, kCosId, kColumn, kSequence };
  Kind kind;
  std::string table;   // or the sequence; empty: the service's own name for its table
  std::string column;  // kColumn
};

// A counter of another program: every id up to and including last_id may have been handed out.
struct Counter {
  std::string name;
  std::int64_t last_id;
  std::int64_t step;  // 0: unknown
};

// Reads counters from a database, whether or not FeatherID uses it. kInvalidArgument: it is not a
// database. kFailedPrecondition: there is no such table, or it holds something else.
Result<std::vector<Counter>> read_counters(const StoreOptions& options,
                                           const CounterSource& source);

// How to read the counters of other programs from one engine. Names in it are quoted already.
struct CounterSql {
  // An expression: the texts of columns with ';' between them.
  std::string (*joined)(const std::vector<std::string>& columns);
  char quote;  // around an identifier
  // Queries for the last id of a column, and of a sequence. The highest answer counts.
  std::vector<std::string> (*of_column)(const std::string& table, const std::string& column);
  std::vector<std::string> (*of_sequence)(const std::string& name);
};

const CounterSql& mysql_counters();
const CounterSql& postgresql_counters();
const CounterSql& sqlite3_counters();

// read_counters() of a database.
Result<std::vector<Counter>> read_database_counters(const StoreOptions& options,
                                                    const CounterSource& source,
                                                    const CounterSql& sql);

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_COUNTERS_H_
