// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_LEADER_TERM_H_
#define FEATHERID_LIB_STORE_LEADER_TERM_H_

#include <cstdint>

namespace featherid {

// A term is the number of leaders so far and, in the lower bits, random bits of the last one.
constexpr int kTermRandomBits = 32;
constexpr std::int64_t kOneLeader = std::int64_t{1} << kTermRandomBits;

constexpr std::int64_t leader_count(std::int64_t term) { return term >> kTermRandomBits; }

// Whether the rows under `term` may descend from those under `seen`: two servers promoted from the
// same one have the same count, but different random bits.
constexpr bool may_follow(std::int64_t term, std::int64_t seen) {
  return term == seen || leader_count(term) > leader_count(seen);
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_LEADER_TERM_H_
