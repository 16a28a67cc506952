// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_IN_FORK_H_
#define FEATHERID_TEST_SUPPORT_IN_FORK_H_

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "test/support/catch.h"
#include "test/support/wait_until.h"

namespace featherid::test {

// The kernel's fork(), which runs no handlers.
inline pid_t raw_clone() { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

// Under AddressSanitizer, waits until all other threads sleep, or for 2 s. It copies its locks as
// they are: what another thread holds at a fork(), nobody unlocks in the child.
inline pid_t fork_beside_sleepers() {
#ifdef __SANITIZE_ADDRESS__
  const auto is_awake = [](const std::filesystem::directory_entry& task) {
    if (task.path().filename() == std::to_string(::gettid())) return false;
    std::ifstream file(task.path() / "stat");
    const std::string stat(std::istreambuf_iterator<char>(file), {});
    return stat.find(") R ") != std::string::npos;
  };
  wait_until(
      [&] {
        const std::filesystem::directory_iterator tasks("/proc/self/task");
        return std::none_of(begin(tasks), end(tasks), is_awake);
      },
      std::chrono::seconds(2));
#endif
  return ::fork();
}

// Runs `child` in a child made by fork(), or by `make`. It returns how many of its checks failed.
template <typename Child>
int failures_in_fork(Child child, pid_t (*make)() = fork_beside_sleepers) {
  const pid_t pid = make();
  if (pid == 0) _exit(child());
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_IN_FORK_H_
