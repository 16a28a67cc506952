// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_IN_FORK_H_
#define FEATHERID_TEST_SUPPORT_IN_FORK_H_

#include <sys/wait.h>
#include <unistd.h>

#include "test/support/catch.h"

namespace featherid::test {

// Runs `child`, which returns how many of its checks failed, in a child made by fork().
template <typename Child>
int failures_in_fork(Child child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child());
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_IN_FORK_H_
