// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SOCI_STORE_H_
#define FEATHERID_SOCI_STORE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/log.h"
#include "featherid/tag_admin.h"

namespace featherid {

// What to do if the database server is not the leader that the table `id_leader` names: a replica
// was promoted, and it may lack the last leases. The lease statement itself checks this, so every
// lease on a new leader is noticed. The first process that notices it acts. Every restore of a
// backup requires an operator's steps first: docs/operating/restore.md.
enum class Failover {
  kSkip,  // move every tag forward by failover_guard_ids, warn, continue
  kStop,  // return kDataLoss until an operator has advanced the tags and recorded the new leader
  kSynchronous,  // check nothing: no failover of this database loses a commit. A Galera cluster
                 // whose nodes have all crashed may have lost some; there it acts as kSkip
};

// What to do if a crash of the database process could undo a committed lease, so that its ids would
// be leased again: innodb_flush_log_at_trx_commit = 0 (or 2 on a Galera node under kSynchronous), a
// table without transactions, an UNLOGGED table. (Settings that lose leases only in a power cut
// cause a warning.)
enum class LossyCommits {
  kRefuse,  // lease nothing until it is changed; kFailedPrecondition names the setting
  kAllow,   // warn, and accept duplicate ids after a crash
};

// How open_soci_store() uses its database. The defaults are safe.
struct SociStoreOptions {
  // How many calls may run at once, each on its own session. Another call waits until one of them
  // ends, within call_timeout. 1 to 64.
  int sessions_max = 4;

  // The time limit of every call, whatever locks, network and resolver do. A call that reaches it
  // ends with kUnavailable. No driver can be interrupted while it looks up a name or tries the
  // name's addresses in turn. The connection attempt then continues on a thread of its own (up to
  // sessions_max of them for each URL), and a later call uses the connection. 2 s to 60 s, in whole
  // seconds (the unit of the drivers).
  std::chrono::seconds call_timeout{5};

  // SQLite has no servers and always uses kSynchronous. All nodes of a Galera cluster count as one
  // server.
  Failover failover = Failover::kSkip;

  // How many ids kSkip skips for each tag: this many, or ten of the tag's steps if that is more. It
  // must be more than all processes together can lease of one tag in the time that a replica lags
  // behind; docs/operating/failover.md has the formula. The default is ten times the default of
  // AllocatorOptions::lease_max_ids. 1 to 2^40.
  std::int64_t failover_guard_ids = 100000000;

  LossyCommits lossy_commits = LossyCommits::kRefuse;

  // The file that the URLs were read from (read_database_file()), if any. Users and passwords are
  // read from it again whenever a session opens, so they can be changed without a restart. If
  // anything else in a URL differs from the first reading, the last login stays.
  std::string database_file;

  // The clock of this process, for tests. It decides whether the clock of the database is too far
  // ahead to follow, for tags with a time floor. SQLite has no other clock. Empty: the clock of the
  // system.
  WallClock clock;

  // Receives messages for an operator: a server setting that lets a crash undo a lease, a failover,
  // a lost session. It is called from any thread that uses the store, and must not call the store.
  // May be empty.
  LogCallback log;

  // Whether `log` also receives warnings about settings and file systems that could undo a commit.
  // A short-lived tool can leave these warnings to the program that leases.
  bool log_risks = true;
};

// Splits a text into database URLs: one SQLite URL, whose path may contain blanks, or URLs of other
// engines with blanks or newlines between them. An empty text has none.
FEATHERID_EXPORT std::vector<std::string> split_database_urls(std::string_view text);

// Reads a file with such a text. kInvalidArgument says why the file cannot be read.
FEATHERID_EXPORT Result<std::vector<std::string>> read_database_file(const std::string& path);

// Opens a store over SOCI:
//   sqlite3:ids.db  sqlite3:/var/lib/ids.db
//   mysql://user:password@host:3306/database     (mariadb:// is the same)
//   postgresql://user:password@host:5432/database
// A URL may end in options, ?key=value&key=value, such as ?tls=verify-full&ca=FILE:
// docs/operating/database.md lists them. In a SQLite path, a ? begins the options only if "key="
// follows it; %3F never does. Percent-escapes in user, password, host, path and values are decoded.
// A host that starts with "/" (written %2F…) is a Unix socket: its path for MySQL, its folder for
// PostgreSQL.
//
// kInvalidArgument: the URL or an option is malformed, or this build lacks the engine. The call
// opens no connection: sessions are opened when first needed and after every error. While the
// database is down, calls return kUnavailable; they work again once it is back. No message contains
// the password.
//
// SQLite: a relative path starts at the working directory of this call. Symbolic links are followed
// as by open(). The journal lies beside the file, so every process must use the same name for the
// file. Each call checks this, and returns kFailedPrecondition for a hard link or a mount of the
// file alone. While a store is open, this process must open the file only with the same SQLite
// library: closing any other descriptor of it drops SQLite's locks.
//
// fork(): the child's copy returns kFailedPrecondition; open a new store in the child. A new SQLite
// store works if no thread of the parent was inside a SQLite store at the fork. If one was, every
// call returns kFailedPrecondition at once, and the child must exec a program first. FeatherID does
// not see the application's own use of SQLite: if another thread may be inside SQLite at the fork,
// the child must exec first, or SQLite may wait for ever.
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_soci_store(
    std::string_view url, const SociStoreOptions& options = {});

// The same for one database with several addresses, such as the nodes of a Galera cluster: up to 16
// URLs of one engine and one database name, the preferred one first. A commit at one address must
// be visible at all others at once; a primary and its asynchronous replica are not such a database.
// A call uses the first address that has not failed within the last 5 s. If that gives no
// connection or refuses (read-only, not ready), the call tries the next, within the same
// call_timeout.
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_soci_store(
    const std::vector<std::string>& urls, const SociStoreOptions& options = {});

// Creates the tables `id_segments`, `id_leader` and `id_tags` (or as the URL's options name them;
// SQLite has no `id_leader`, and a Galera node also gets `id_mark`) and the rows `user`, `order`
// and `health` (step 1000) if they are missing. Changes nothing that exists. The statements are in
// sql/<engine>.sql and sql/galera.sql. Then it records which server leads, so that no failover can
// lose that along with the first leases. If another server is on record, it acts according to
// `options.failover`. `url`: as above. `tags_made`, unless null, receives the tags that this call
// created, in order. Errors: kUnavailable, kInvalidArgument, kFailedPrecondition, kDataLoss.
FEATHERID_EXPORT Status init_soci_schema(std::string_view url, const SociStoreOptions& options = {},
                                         std::vector<std::string>* tags_made = nullptr);
FEATHERID_EXPORT Status init_soci_schema(const std::vector<std::string>& urls,
                                         const SociStoreOptions& options = {},
                                         std::vector<std::string>* tags_made = nullptr);

// Runs one query on a database that open_soci_store() can open, for administration: a query about
// the server, or on a table of another program. Returns the first column of each row as text, and
// leaves out NULLs. The query must change nothing. Errors: as a store's. Blocks for up to
// call_timeout.
FEATHERID_EXPORT Result<std::vector<std::string>> query_soci(const std::vector<std::string>& urls,
                                                             const std::string& sql,
                                                             const SociStoreOptions& options = {});

// Whether a store was destroyed while one of its threads was still connecting (see `call_timeout`).
// End such a process with _exit(). exit() cleans up the driver's libraries, such as OpenSSL, while
// that thread may still use them, which can crash the process.
FEATHERID_EXPORT bool soci_threads_left_behind();

// Replaces `id_segments` and `id_leader` in a text by the names that the URL's options give these
// tables, as SQL identifiers. Unchanged if they give none, or if the URL is malformed.
FEATHERID_EXPORT std::string name_soci_tables(std::string_view text, std::string_view url);

// The file path of a SQLite URL; empty for another engine or a malformed URL.
FEATHERID_EXPORT std::string sqlite3_file_of(std::string_view url);

// The URL with its password replaced by "***", for logs; text that is not a URL becomes "***".
FEATHERID_EXPORT std::string redact_database_url(std::string_view url);

}  // namespace featherid

#endif  // FEATHERID_SOCI_STORE_H_
