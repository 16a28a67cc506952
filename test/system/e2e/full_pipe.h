// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_FULL_PIPE_H_
#define FEATHERID_TEST_SYSTEM_E2E_FULL_PIPE_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

#include "test/support/catch.h"

namespace featherid::test {

// A named pipe that is full until its reader empties it.
class FullPipe {
 public:
  explicit FullPipe(std::string path) : path_(std::move(path)) {
    REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    fd_ = ::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(fd_ >= 0);
    while (::write(fd_, "x", 1) == 1) continue;
  }
  ~FullPipe() { ::close(fd_); }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;

  const std::string& path() const { return path_; }

  void take_page() {
    std::array<char, 4096> page;
    REQUIRE(::read(fd_, page.data(), page.size()) == static_cast<ssize_t>(page.size()));
  }

  // Everything read from it so far.
  const std::string& take_all() {
    std::array<char, 65536> chunk;
    for (ssize_t size = 0; (size = ::read(fd_, chunk.data(), chunk.size())) > 0;) {
      taken_.append(chunk.data(), static_cast<std::size_t>(size));
    }
    return taken_;
  }

 private:
  const std::string path_;
  int fd_ = -1;
  std::string taken_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_FULL_PIPE_H_
