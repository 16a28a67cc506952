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

// A program that the test started. It dies with this object and with the test process (more
// exactly, with the thread that started it).
class ChildProcess {
 public:
  struct Options {
    std::string output_file;               // standard output and error, appended; empty: inherited
    std::string user;                      // run as this user if the test is root; empty: as is
    std::vector<std::string> environment;  // "NAME=value", besides the test's own
    std::uint64_t descriptors_max = 0;     // soft and hard limit of open files; 0: as is
  };

  // Throws if the program cannot be started. argv[0] is looked up in PATH.
  explicit ChildProcess(const std::vector<std::string>& argv) : ChildProcess(argv, Options()) {}
  ChildProcess(const std::vector<std::string>& argv, const Options& options);
  ~ChildProcess();  // kills it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;

  // The exit code (128 + the signal's number if a signal ended it), or nothing if it still runs
  // after `bound`.
  std::optional<int> wait(std::chrono::milliseconds bound);

  // Sends `number`, waits, and kills the program if it has not ended.
  int stop(int number = SIGTERM, std::chrono::milliseconds bound = std::chrono::seconds(20));

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

// Runs a program to its end. Throws with its output if it fails or takes longer than three minutes.
void run(const std::vector<std::string>& argv, ChildProcess::Options options = {});

std::string read_file(const std::string& path);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_CHILD_PROCESS_H_
