// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SOCI_STORE_H_
#define FEATHERID_SOCI_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/tag_admin.h"

namespace featherid {

// What to do when another server leads the rows than the one that the table `id_leader` names: a
// replica was promoted, and the last leases may be missing there. The lease statement itself looks,
// so that no lease is ever made unseen; the first process to notice acts. Every restore of a backup
// requires an operator's steps first: docs/operating/restore.md.
enum class Failover {
  kSkip,  // move every tag forward by failover_guard_ids, warn, go on
  kStop,  // answer kDataLoss, until an operator has moved the tags and recorded the new leader
  kSynchronous,  // look at nothing: no failover of this database loses a commit. A Galera cluster
                 // whose nodes have all crashed may have lost some, so there it does what kSkip
                 // does
};

// What to do when a setting of the server lets a mere crash of its process take back a committed
// lease, which would then be made again: innodb_flush_log_at_trx_commit = 0 (and 2 on a Galera node
// under kSynchronous), a table without transactions, an UNLOGGED one. (Settings that lose a lease
// in a power cut alone are warned of.)
enum class LossyCommits {
  kRefuse,  // lease nothing: kFailedPrecondition names the setting, until it is changed
  kAllow,   // warn, and accept duplicate ids after a crash
};

struct SociStoreOptions {
  // How many calls may be under way at once, each with a session of its own; a further call waits
  // for one to end, within call_timeout. 1 to 64.
  int sessions_max = 4;

  // No call takes longer, whatever the locks, the network and the resolver do: it ends with
  // kUnavailable. What a driver cannot be kept from waiting for (a name's look-up, one after the
  // other of its addresses) goes on without the call, on up to sessions_max threads for each URL,
  // and the connection that it may yet bring serves a later call. 2 s to 60 s, in whole seconds
  // (the unit of the drivers).
  std::chrono::seconds call_timeout{5};

  // SQLite has no servers: it is kSynchronous whatever stands here. All nodes of a Galera cluster
  // count as one server.
  Failover failover = Failover::kSkip;

  // What kSkip skips, for each tag: so many ids, or ten of its steps where that is more. It must be
  // more than all processes together can have leased of one tag in the time that a replica lags
  // behind; docs/operating/failover.md has the formula. The default is ten of the largest leases
  // that growth leads to. 1 to 2^40.
  std::int64_t failover_guard_ids = 100000000;

  LossyCommits lossy_commits = LossyCommits::kRefuse;

  // The file that the URLs were read from (read_database_file()), if any. Their users and passwords
  // are read there again whenever a session opens, so that they can be changed without a restart.
  // While the file says anything else of the URL than it did at first, the last login stays.
  std::string database_file;

  // Told of what an operator should know, by name: a server setting that lets a crash take back a
  // lease, a failover, a session lost. Called from any thread that uses the store; must not call
  // the store.
  std::function<void(const std::string& warning)> warn;
};

// The database URLs of a file, with blanks or newlines between them. kInvalidArgument says why it
// cannot be read. The file holds one SQLite URL, or up to 16 others.
FEATHERID_EXPORT Result<std::vector<std::string>> read_database_file(const std::string& path);

// Opens a store over SOCI:
//   sqlite3:ids.db  sqlite3:/var/lib/ids.db
//   mysql://user:password@host:3306/database     (mariadb:// is the same)
//   postgresql://user:password@host:5432/database
// A URL may end in options, ?key=value&key=value, such as ?tls=verify-full&ca=FILE:
// docs/operating/database.md lists them. In a SQLite path a ? stays a ? unless an option's "key="
// follows it; %3F always does. Percent-escapes in user, password, host, path and values are
// decoded. A MySQL host that starts with "/" (as %2F…) is a Unix socket; so is a PostgreSQL one, as
// the folder of the socket.
//
// kInvalidArgument: the URL or an option is malformed, or this build lacks the engine. It opens no
// connection: sessions are opened when first needed and after every error, so a database that is
// down now answers kUnavailable now and serves later. No message ever holds the password.
//
// SQLite: a relative path counts from the working directory of this call; symbolic links are
// followed as open() does. The journal lies beside the file, so every process must reach the file
// by one name: each call checks this, and answers kFailedPrecondition for a hard link or a mount of
// the file alone. While a store is open, open its file in this process only with the same SQLite
// library: closing any other descriptor of it drops SQLite's locks.
//
// fork(): the child's copy answers kFailedPrecondition; the child opens a new store. A new SQLite
// store serves if no thread of the parent was inside a SQLite store at the fork; if one was, every
// call answers kFailedPrecondition at once, and the child must exec a program first. FeatherID does
// not see the application's own use of SQLite: if another thread may be inside SQLite at the fork,
// the child must exec first, or SQLite may wait for ever.
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_soci_store(
    std::string_view url, const SociStoreOptions& options = {});

// The same for one database behind several addresses, the preferred first (the nodes of a Galera
// cluster): up to 16 URLs of one engine and one database name. What is committed at one address
// must be there at all others at once; a primary and its asynchronous replica are not such a
// database. A call goes to the first address that has not failed within the last 5 s, and where
// that gives no connection or refuses (read-only, not ready) to the next, within the same
// call_timeout.
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_soci_store(
    const std::vector<std::string>& urls, const SociStoreOptions& options = {});

// Creates the tables `id_segments` and `id_leader` (or as the URL's options name them) where they
// are missing, and the rows `user`, `order` (step 1000) and `health` where they are missing;
// changes nothing that exists. The text is sql/<engine>.sql. Then records which server leads, so
// that no failover can lose that along with the first leases; where another one is on record, does
// what `options.failover` says. `url` as above. kUnavailable, kInvalidArgument,
// kFailedPrecondition, kDataLoss. `tags_made`: gets the names of the rows of id_segments that this
// call created, in order; null: they are not wanted.
FEATHERID_EXPORT Status init_soci_schema(std::string_view url, const SociStoreOptions& options = {},
                                         std::vector<std::string>* tags_made = nullptr);
FEATHERID_EXPORT Status init_soci_schema(const std::vector<std::string>& urls,
                                         const SociStoreOptions& options = {},
                                         std::vector<std::string>* tags_made = nullptr);

// Whether a store that was destroyed left a thread behind that is still connecting, or was at the
// time (see `call_timeout`). End such a process by _exit(): exit() runs the clean-up of the
// driver's libraries (OpenSSL's, for one) while that thread uses them, which can crash the process.
FEATHERID_EXPORT bool soci_threads_left_behind();

// A text about `id_segments` and `id_leader`, with the names, as SQL has them, that the URL's
// options give these tables; unchanged if they give none, or the URL is malformed.
FEATHERID_EXPORT std::string name_soci_tables(std::string_view text, std::string_view url);

// The path of the file of a SQLite URL; empty for another engine, or a malformed URL.
FEATHERID_EXPORT std::string sqlite3_file_of(std::string_view url);

// The URL with its password replaced by "***", for logs; text that is no URL comes back as "***".
FEATHERID_EXPORT std::string redact_database_url(std::string_view url);

}  // namespace featherid

#endif  // FEATHERID_SOCI_STORE_H_
