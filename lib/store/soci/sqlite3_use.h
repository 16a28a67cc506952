// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SQLITE3_USE_H_
#define FEATHERID_LIB_STORE_SOCI_SQLITE3_USE_H_

#include "featherid/status.h"

namespace featherid {

// While a Sqlite3Use exists, its thread may be inside SQLite, or hold a lock of a file. A child
// that fork() makes meanwhile has copies of SQLite's mutexes and of its list of file locks, which
// no thread there ever releases: SQLite would wait for ever, or treat the parent's lock as its own.
// Such a child, and its children, may not use SQLite. Thread-safe, without a lock of its own.
class Sqlite3Use {
 public:
  Sqlite3Use();
  ~Sqlite3Use();
  Sqlite3Use(const Sqlite3Use&) = delete;
  Sqlite3Use& operator=(const Sqlite3Use&) = delete;

  // kFailedPrecondition if SQLite must not be entered.
  Status status() const;

 private:
  struct Process;
  static Process& this_process();

  Process& process_;
};

// kFailedPrecondition for a SQLite whose locks do not keep threads or processes out.
Status check_sqlite3_library();

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SQLITE3_USE_H_
