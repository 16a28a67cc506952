// SPDX-License-Identifier: MIT
#include "server/write_in_time.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace featherid {

bool write_in_time(int fd, std::string_view text, std::chrono::milliseconds wait_max) {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + wait_max;
  while (!text.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    pollfd descriptor{fd, POLLOUT, 0};
    const int ready =
        ::poll(&descriptor, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    // A pipe that is ready has room for so much; to make it non-blocking would change it for the
    // others, too.
    const ssize_t written = ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace featherid
