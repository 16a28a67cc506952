// SPDX-License-Identifier: MIT
#include "lib/base/invariant.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

int evaluations = 0;
int counted(int value) {
  ++evaluations;
  return value;
}

// The signal that ends a process which breaks an invariant, or 0. Standard error is `stderr_fd`.
int signal_of_broken_invariant(int stderr_fd) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(stderr_fd, STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    ::alarm(10);
    FEATHERID_INVARIANT(counted(1) == 2, 41, -42);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("an invariant that holds does nothing and evaluates its condition once", "[invariant]") {
  FEATHERID_INVARIANT(counted(1) == 1, 41, 42);
  CHECK(evaluations == 1);
}

TEST_CASE("a broken invariant ends the program in every build, with both values",
          "[invariant][fork]") {
  const test::ScratchDir scratch;
  const std::string file = scratch.file("stderr");
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  CHECK(signal_of_broken_invariant(fd) == SIGABRT);
  ::close(fd);
  CHECK_THAT(test::read_file(file), Contains("broken invariant counted(1) == 2 (41, -42) at ") &&
                                        Contains("invariant_test.cpp:"));
}

TEST_CASE("a broken invariant does not wait for a reader of standard error",
          "[invariant][fork][not_emulated]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
  while (::write(ends[1], "x", 1) == 1) continue;
  REQUIRE(::fcntl(ends[1], F_SETFL, 0) == 0);
  CHECK(signal_of_broken_invariant(ends[1]) == SIGABRT);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace featherid
