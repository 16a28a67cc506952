// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_INVARIANT_H_
#define FEATHERID_LIB_BASE_INVARIANT_H_

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace featherid {

// Prints two values and stops the program if `condition` is false, in every build: better dead than
// a duplicate.
#define FEATHERID_INVARIANT(condition, a, b)                                            \
  ((condition)                                                                          \
       ? void()                                                                         \
       : ::featherid::die_of_broken_invariant(#condition, static_cast<std::int64_t>(a), \
                                              static_cast<std::int64_t>(b), __FILE__, __LINE__))

[[noreturn]] inline void die_of_broken_invariant(const char* condition, std::int64_t a,
                                                 std::int64_t b, const char* file, int line) {
  char text[512];  // the heap may be what is broken
  const int length =
      std::snprintf(text, sizeof(text), "featherid: broken invariant %s (%lld, %lld) at %s:%d\n",
                    condition, static_cast<long long>(a), static_cast<long long>(b), file, line);
  // Waiting for a reader would let other threads issue ids meanwhile.
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (length > 0 && ::poll(&out, 1, 0) > 0) {
    const std::size_t size = std::min(static_cast<std::size_t>(length), sizeof(text) - 1);
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, size);
  }
  std::abort();
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_INVARIANT_H_
