// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_STORES_H_
#define FEATHERID_SERVER_STORE_STORES_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "featherid/log.h"
#include "featherid/soci_store.h"
#include "featherid/tag_admin.h"

namespace featherid {

// The stores that ids can come from. Only stores.cpp knows which kinds there are: a new kind is one
// line of its table.

// Which store, and how to use it. Each kind takes what it needs.
struct StoreOptions {
  std::vector<std::string> addresses;  // of one store, the preferred one first; never empty
  std::string database_file;           // the file that they were read from, if any
  std::chrono::seconds call_timeout{5};
  int calls_max = 4;  // how many calls may run at once
  LogCallback log;    // as in SociStoreOptions
  bool log_risks = true;

  // Of servers, as in HttpStoreOptions.
  std::string token;
  std::string token_file;
  std::string ca_file;

  // Of SQL databases, as in SociStoreOptions.
  Failover failover = Failover::kSkip;
  std::int64_t failover_guard_ids = 100000000;
  LossyCommits lossy_commits = LossyCommits::kRefuse;
};

// How addresses of each kind look, for --help.
std::string address_forms();

// Whether a text begins like an address of some kind, perhaps with the extra parts that other
// libraries write: jdbc:mysql://, mysql+pymysql://, sqlite://.
bool resembles_address(const std::string& text);

// Whether the name of a variable, in capital letters, contains a word for some kind, such as SQL.
bool mentions_kind(const std::string& name);

// Takes the addresses out of the value of --database: one SQLite address, whose path may contain
// blanks, or others with blanks between them, whatever their kind. kInvalidArgument: there is none.
Result<std::vector<std::string>> split_addresses(const std::string& text);

// The same out of a file. kInvalidArgument: it cannot be read, or contains none.
Result<std::vector<std::string>> read_addresses(const std::string& path);

// The addresses for a log or a message, without passwords.
std::string redacted(const std::vector<std::string>& addresses);

// Whether a failover of the store skips `failover_guard_ids` of every tag.
bool skips_at_failover(const StoreOptions& options);

// Opens the store, without connecting. kInvalidArgument: an address or an option is wrong.
Result<std::unique_ptr<Store>> open_store(const StoreOptions& options);

// Creates what the store needs, if it is missing. Returns what exists now, for an operator.
Result<std::string> init_store(const StoreOptions& options);

// kNotFound: the store is a local file that does not exist. Opening it would create it, with every
// tag at 0.
Status check_store_exists(const StoreOptions& options);

// What could lose or stop ids, or a fact that an operator may want to know.
struct Finding {
  enum class Level { kFact, kWarning, kProblem };
  Level level;
  std::string topic;  // one word: "settings", "leader", "tags"
  std::string text;   // what was found and, unless it is a fact, what to do
};

// Looks for what could lose or stop ids. Uses up no id and changes nothing; a lease of the tag
// `health` is given back. Blocks for several calls of the store.
std::vector<Finding> examine_store(const StoreOptions& options);

// As query_soci(). kInvalidArgument: the store is not a database.
Result<std::vector<std::string>> query_database(const StoreOptions& options,
                                                const std::string& query);

// Whether a thread of a destroyed store still runs. The process must then end with _exit().
bool store_threads_left_behind();

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_STORES_H_
