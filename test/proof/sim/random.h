// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_RANDOM_H_
#define FEATHERID_TEST_PROOF_SIM_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <random>

namespace featherid::sim {

// All randomness of a run comes from its seed. It is the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  bool percent(int chance) { return pick(0, 99) < chance; }
  // One of [min, max].
  std::int64_t pick(std::int64_t min, std::int64_t max) {
    return min + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(max - min + 1));
  }
  // An index below `size`.
  std::size_t index(std::size_t size) {
    return static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(size) - 1));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_RANDOM_H_
