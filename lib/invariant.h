// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_INVARIANT_H_
#define FEATHERID_LIB_INVARIANT_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace featherid {

// Stops the program with two values printed when `condition` is false, in every build: better dead
// than a duplicate.
#define FEATHERID_INVARIANT(condition, a, b)                                            \
  ((condition)                                                                          \
       ? void()                                                                         \
       : ::featherid::die_of_broken_invariant(#condition, static_cast<std::int64_t>(a), \
                                              static_cast<std::int64_t>(b), __FILE__, __LINE__))

[[noreturn]] inline void die_of_broken_invariant(const char* condition, std::int64_t a,
                                                 std::int64_t b, const char* file, int line) {
  std::fprintf(stderr, "featherid: broken invariant %s (%lld, %lld) at %s:%d\n", condition,
               static_cast<long long>(a), static_cast<long long>(b), file, line);
  std::abort();
}

}  // namespace featherid

#endif  // FEATHERID_LIB_INVARIANT_H_
