// SPDX-License-Identifier: MIT
#include "test/support/child_process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

// Runs in the child between fork() and exec(), so it calls only what is safe there. Never returns.
[[noreturn]] void become(char* const* argv, char* const* environment, int output_fd,
                         const passwd* user, rlim_t descriptors_max, pid_t parent) {
  if (output_fd >= 0) {
    ::dup2(output_fd, STDOUT_FILENO);
    ::dup2(output_fd, STDERR_FILENO);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit descriptors{descriptors_max, descriptors_max};
  if (descriptors_max != 0) ::setrlimit(RLIMIT_NOFILE, &descriptors);
  const bool is_user =
      user == nullptr ||
      (::setgroups(0, nullptr) == 0 && ::setgid(user->pw_gid) == 0 && ::setuid(user->pw_uid) == 0);
  // After setuid(), which clears it. The parent may be gone already.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (is_user && ::getppid() == parent) ::execvpe(argv[0], argv, environment);
  ::_exit(127);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv, const Options& options) {
  std::vector<std::string> environment = options.environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.emplace_back(*variable);
  const std::vector<char*> argv_pointers = pointers(argv);
  const std::vector<char*> environment_pointers = pointers(environment);
  const bool change_user = !options.user.empty() && ::geteuid() == 0;
  const passwd* const user = change_user ? ::getpwnam(options.user.c_str()) : nullptr;
  if (change_user && user == nullptr) throw std::runtime_error("no user " + options.user);
  int output_fd = -1;
  if (!options.output_file.empty()) {
    output_fd =
        ::open(options.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (output_fd < 0) throw std::runtime_error("cannot write " + options.output_file);
  }
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    become(argv_pointers.data(), environment_pointers.data(), output_fd, user,
           options.descriptors_max, parent);
  }
  if (output_fd >= 0) ::close(output_fd);
  if (pid_ < 0) throw std::runtime_error("cannot fork");
}

ChildProcess::~ChildProcess() {
  if (!exit_code_) stop(SIGKILL);
}

void ChildProcess::signal(int number) const {
  if (!exit_code_) ::kill(pid_, number);
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds bound) {
  wait_until(
      [&] {
        int status = 0;
        if (!exit_code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
          exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        return exit_code_.has_value();
      },
      bound);
  return exit_code_;
}

int ChildProcess::stop(int number, std::chrono::milliseconds bound) {
  signal(number);
  if (const std::optional<int> code = wait(bound)) return *code;
  signal(SIGKILL);
  return wait(std::chrono::seconds(20)).value_or(-1);
}

void run(const std::vector<std::string>& argv, ChildProcess::Options options) {
  const ScratchDir scratch;
  if (options.output_file.empty()) options.output_file = scratch.file("output");
  ChildProcess child(argv, options);
  const std::optional<int> code = child.wait(std::chrono::minutes(3));
  if (code == 0) return;
  throw std::runtime_error(argv[0] + (code ? " ended with " + std::to_string(*code) : " hangs") +
                           ": " + read_file(options.output_file));
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace featherid::test
