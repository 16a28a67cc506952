// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_FUZZ_MANGLED_H_
#define FEATHERID_TEST_PROOF_FUZZ_MANGLED_H_

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "test/proof/fuzz/corpus.h"
#include "test/support/catch.h"

namespace featherid::test {

// Calls check(bytes) with the cases of a corpus, one to four times changed each: a byte of `spice`
// instead of another, one more, or some bytes fewer. Every run makes the same 20,000 changes.
template <typename Check>
void for_each_mangled(const std::vector<CorpusCase>& corpus, const std::string& spice,
                      Check check) {
  const auto seed = 42U;
  std::mt19937 random(seed);
  const auto below = [&random](std::size_t n) { return random() % n; };
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = corpus[below(corpus.size())].bytes;
    if (bytes.size() > 1000) continue;  // the fuzzer has time for these
    for (std::size_t i = 1 + below(4); i > 0; --i) {
      if (bytes.empty()) bytes = "x";
      const std::size_t at = below(bytes.size());
      switch (below(3)) {
        case 0:
          bytes[at] = spice[below(spice.size())];
          break;
        case 1:
          bytes.insert(at, 1, spice[below(spice.size())]);
          break;
        default:
          bytes.erase(at, 1 + below(3));
          break;
      }
    }
    INFO("seed " << seed << ", round " << round << ":\n" << bytes);
    check(bytes);
  }
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_PROOF_FUZZ_MANGLED_H_
