// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SQLITE3_FILE_H_
#define FEATHERID_LIB_STORE_SOCI_SQLITE3_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "featherid/status.h"

namespace featherid {

// SQLite finds its journal, from which it undoes what a crash interrupted, beside the file. So all
// processes must see the file under one name in one folder: a process that uses another name leases
// without that journal, and the process that finds the journal later undoes that lease.

// The file that open() would open or create, without a symbolic link in its path: SQLite resolves
// some paths itself. kFailedPrecondition if the kernel could not create it.
Result<std::string> kernel_path(const std::string& path);

// kFailedPrecondition, with the path and what to do, for a file that has another name (a hard link,
// a mount of the file alone), is no regular file, or whose journal is not a plain file beside it.
// OK if there is no file yet. Costs a few system calls. Call it before every use.
Status check_sqlite3_file(const std::string& path);

// What can go wrong on the file system of `path`; empty: no risk is known.
std::string file_system_risk(const std::string& path);

// The parts of the above that need no system call.
// `magic`: statfs.f_type.
std::string file_system_risk(std::uint32_t magic);
// Whether `path` is a mount point in the text of /proc/self/mountinfo.
bool is_mount_point(std::string_view mountinfo, std::string_view path);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SQLITE3_FILE_H_
