// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_FROZEN_H_
#define FEATHERID_TEST_SUPPORT_FROZEN_H_

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "test/support/wait_until.h"

namespace featherid::test {

// While it lives, the process stands still, with every one of its threads.
class Frozen {
 public:
  explicit Frozen(pid_t pid) : pid_(pid) {
    ::kill(pid_, SIGSTOP);
    // kill() returns before the threads have stopped; one of them could still answer.
    if (!wait_until([this] { return all_stopped(); })) {
      ::kill(pid_, SIGCONT);
      throw std::runtime_error("process " + std::to_string(pid_) + " does not stop");
    }
  }
  ~Frozen() { ::kill(pid_, SIGCONT); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  bool all_stopped() const {
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task")) {
      std::ifstream file(task.path() / "stat");
      const std::string stat((std::istreambuf_iterator<char>(file)), {});
      const std::size_t name_end = stat.rfind(')');
      if (name_end != std::string::npos && stat.compare(name_end, 3, ") T") != 0) return false;
    }
    return true;
  }

  pid_t pid_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_FROZEN_H_
