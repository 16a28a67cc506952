// SPDX-License-Identifier: MIT
#include "server/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>

#include "server/log/write_in_time.h"

namespace featherid {

namespace {
constexpr std::chrono::seconds kReaderMax{1};
}  // namespace

void open_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd >= 0) ::close(fd);
}

void print(std::string_view text) { write_in_time(STDOUT_FILENO, text, kReaderMax); }

void print_error(const std::string& message) {
  write_in_time(STDERR_FILENO, "featherid-server: " + message + "\n", kReaderMax);
}

int fail(int exit_code, const std::string& message) {
  print_error(message);
  return exit_code;
}

}  // namespace featherid
