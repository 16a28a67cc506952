// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_INTEGRATION_SQLITE3_FILES_H_
#define FEATHERID_TEST_SYSTEM_INTEGRATION_SQLITE3_FILES_H_

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "test/system/integration/servers.h"

namespace featherid::test {

inline std::unique_ptr<Store> open_file(const std::string& path,
                                        const SociStoreOptions& options = short_options()) {
  return *open_soci_store("sqlite3:" + path, options);
}

// Runs `body` in a child process; its return value is the exit code.
template <typename Body>
pid_t in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  return child;
}

inline int exit_code_of(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

inline bool is_refused(const Status& status, const std::string& words) {
  UNSCOPED_INFO(status);
  return status.code() == StatusCode::kFailedPrecondition && says(status, words);
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_INTEGRATION_SQLITE3_FILES_H_
