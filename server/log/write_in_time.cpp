// SPDX-License-Identifier: MIT
#include "server/log/write_in_time.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace featherid {

std::size_t write_in_time(int fd, std::string_view text, std::chrono::milliseconds wait_max) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + wait_max;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    pollfd descriptor{fd, POLLOUT, 0};
    const int ready =
        ::poll(&descriptor, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    // A pipe that is ready has room for this much. Making it non-blocking would also affect the
    // other processes.
    const std::string_view part = text.substr(at, PIPE_BUF);
    const ssize_t written = ::write(fd, part.data(), part.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    at += static_cast<std::size_t>(written);
  }
  return at;
}

}  // namespace featherid
