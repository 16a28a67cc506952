// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_FUZZ_CORPUS_H_
#define FEATHERID_TEST_FUZZ_CORPUS_H_

#include <string>
#include <vector>

namespace featherid::test {

// One file of test/fuzz/corpus: what a client sends, and what the name says of it.
//   accept-<what>      one request or more, each of which passes the gate, and nothing else
//   reject-NNN-<what>  the last thing in it is rejected with the status NNN; what is before passes
//   more-<what>        the beginning of a request
struct CorpusCase {
  std::string name;
  std::string bytes;
  int status = 0;  // of the rejection; 0: there is none
  bool more = false;
};

// Sorted by name; throws when the folder is not there.
std::vector<CorpusCase> read_corpus();

}  // namespace featherid::test

#endif  // FEATHERID_TEST_FUZZ_CORPUS_H_
