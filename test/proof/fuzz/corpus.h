// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_FUZZ_CORPUS_H_
#define FEATHERID_TEST_PROOF_FUZZ_CORPUS_H_

#include <string>
#include <vector>

namespace featherid::test {

// One file of test/proof/fuzz/corpus: what a client sends. The name has the expected verdict:
//   accept-<what>      one or more requests that all pass the gate, and nothing else
//   reject-NNN-<what>  the last request is rejected with the status NNN; earlier ones pass
//   more-<what>        the beginning of a request
struct CorpusCase {
  std::string name;
  std::string bytes;
  int status = 0;  // of the rejection; 0: none
  bool more = false;
};

// Sorted by name. Throws if the folder is missing.
std::vector<CorpusCase> read_corpus();

// The same of test/proof/fuzz/resp_corpus: what a Redis client sends, with the verdict of the
// reader. A rejection has no status.
std::vector<CorpusCase> read_resp_corpus();

}  // namespace featherid::test

#endif  // FEATHERID_TEST_PROOF_FUZZ_CORPUS_H_
