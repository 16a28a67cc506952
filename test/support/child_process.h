// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_CHILD_PROCESS_H_
#define FEATHERID_TEST_SUPPORT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace featherid::test {

// A program that the test started. It dies with the test process (with the thread that made it, to
// be exact), and with this object.
class ChildProcess {
 public:
  struct Options {
    std::string output_file;               // standard output and error, appended; empty: inherited
    std::string user;                      // run as this user, where the test is root; empty: as is
    std::vector<std::string> environment;  // "NAME=value", besides the test's own
    std::uint64_t descriptors_max = 0;     // soft and hard limit of open files; 0: as is
  };

  // Throws when the program cannot be started. argv[0] is looked up in PATH.
  explicit ChildProcess(const std::vector<std::string>& argv) : ChildProcess(argv, Options()) {}
  ChildProcess(const std::vector<std::string>& argv, const Options& options);
  ~ChildProcess();  // kills it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;

  // The exit code (128 + the signal's number where a signal ended it); nothing while it still runs
  // after `bound`.
  std::optional<int> wait(std::chrono::milliseconds bound);

  // Asks with `number`, waits, and kills when that does not help.
  int stop(int number = SIGTERM, std::chrono::milliseconds bound = std::chrono::seconds(20));

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

// Runs a program to its end; throws, with its output, when it fails or takes longer than a minute.
void run(const std::vector<std::string>& argv, ChildProcess::Options options = {});

std::string read_file(const std::string& path);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_CHILD_PROCESS_H_
