// SPDX-License-Identifier: MIT
#include "test/proof/fuzz/corpus.h"

#include <algorithm>
#include <filesystem>

#include "test/support/child_process.h"

namespace featherid::test {

namespace {

std::vector<CorpusCase> read_cases(const char* folder) {
  std::vector<CorpusCase> cases;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CorpusCase one;
    one.name = entry.path().filename().string();
    one.bytes = read_file(entry.path().string());
    one.more = one.name.rfind("more-", 0) == 0;
    cases.push_back(std::move(one));
  }
  std::sort(cases.begin(), cases.end(),
            [](const CorpusCase& a, const CorpusCase& b) { return a.name < b.name; });
  return cases;
}

}  // namespace

std::vector<CorpusCase> read_corpus() {
  std::vector<CorpusCase> cases = read_cases(FEATHERID_GATE_CORPUS);
  for (CorpusCase& one : cases) {
    if (one.name.rfind("reject-", 0) == 0) one.status = std::stoi(one.name.substr(7, 3));
  }
  return cases;
}

std::vector<CorpusCase> read_resp_corpus() { return read_cases(FEATHERID_RESP_CORPUS); }

}  // namespace featherid::test
