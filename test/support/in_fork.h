// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_IN_FORK_H_
#define FEATHERID_TEST_SUPPORT_IN_FORK_H_

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/catch.h"

namespace featherid::test {

// The kernel's fork(), which runs no handlers.
inline pid_t raw_clone() { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

// Runs `child` in a child made by fork() or `make`. It returns how many of its checks failed.
template <typename Child>
int failures_in_fork(Child child, pid_t (*make)() = ::fork) {
  const pid_t pid = make();
  if (pid == 0) _exit(child());
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_IN_FORK_H_
