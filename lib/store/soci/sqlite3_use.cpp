// SPDX-License-Identifier: MIT
#include "lib/store/soci/sqlite3_use.h"

#include <atomic>
#include <memory>

#ifdef FEATHERID_SOCI_SQLITE3
#include <sqlite3.h>
#endif

#include <string>

#include "featherid/internal/fork_guard.h"

namespace featherid {

// One for each process, made at its first use. A child finds its parent's, as it was at the fork.
struct Sqlite3Use::Process {
  Process* const parent;
  const bool usable = parent == nullptr || (parent->usable && parent->uses == 0);
  const internal::ForkGuard fork_guard{};
  std::atomic<int> uses{0};
};

Sqlite3Use::Process& Sqlite3Use::this_process() {
  static std::atomic<Process*> latest{nullptr};
  Process* process = latest;
  while (process == nullptr || process->fork_guard.forked()) {
    std::unique_ptr<Process> made(new Process{process});
    // Kept for ever: a use that began before the fork ends after it.
    if (latest.compare_exchange_strong(process, made.get())) process = made.release();
  }
  return *process;
}

Sqlite3Use::Sqlite3Use() : process_(this_process()) { ++process_.uses; }

Sqlite3Use::~Sqlite3Use() { --process_.uses; }

Status Sqlite3Use::status() const {
  if (process_.usable) return {};
  return {StatusCode::kFailedPrecondition,
          "this process was made by fork() while another thread used SQLite, whose locks stay held "
          "here; exec a program first, or fork while no thread uses a SQLite store"};
}

Status check_sqlite3_library() {
#ifdef FEATHERID_SOCI_SQLITE3
  // Without mutexes, any two are equal.
  if (sqlite3_threadsafe() == 0 || sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_MASTER) ==
                                       sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_MEM)) {
    return {StatusCode::kFailedPrecondition,
            "SQLite is built or configured for a single thread; use it with SQLITE_THREADSAFE=1"};
  }
  // Other VFSs lock in other ways, which processes with this one do not see, or not at all.
  const sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  const std::string name = vfs != nullptr ? vfs->zName : "";
  if (name != "unix") {
    return {StatusCode::kFailedPrecondition,
            "SQLite's default VFS is '" + name +
                "', which may not keep other processes out of the file; leave it at 'unix'"};
  }
#endif
  return {};
}

}  // namespace featherid
