// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_FROZEN_H_
#define FEATHERID_TEST_SUPPORT_FROZEN_H_

#include <sys/types.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "test/support/wait_until.h"

namespace featherid::test {

// While this object lives, the process is stopped, with all of its threads.
class Frozen {
 public:
  explicit Frozen(pid_t pid) : pid_(pid) {
    ::kill(pid_, SIGSTOP);
    // kill() returns before the threads have stopped, and one could still answer.
    if (!wait_until([this] { return all_stopped(); })) {
      ::kill(pid_, SIGCONT);
      throw std::runtime_error("process " + std::to_string(pid_) + " does not stop");
    }
  }
  ~Frozen() { ::kill(pid_, SIGCONT); }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  // Or gone: a zombie stays one if its parent is stopped as well.
  bool all_stopped() const {
    std::error_code gone;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task", gone)) {
      std::ifstream file(task.path() / "stat");
      const std::string stat((std::istreambuf_iterator<char>(file)), {});
      const std::size_t state = stat.rfind(')') + 2;
      if (state < stat.size() && std::strchr("TZX", stat[state]) == nullptr) return false;
    }
    return true;
  }

  pid_t pid_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_FROZEN_H_
