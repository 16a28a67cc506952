// SPDX-License-Identifier: MIT
#include <random>
#include <string>

#include "server/resp/command_reader.h"
#include "test/proof/fuzz/corpus.h"
#include "test/proof/fuzz/resp_properties.h"
#include "test/support/catch.h"

namespace featherid::test {

namespace {

using Kind = CommandVerdict::Kind;

const std::string kNone;  // the result of broken_resp_property() if nothing is broken

}  // namespace

TEST_CASE("the reader's verdict on each file of the corpus matches its name",
          "[fuzz][command_reader]") {
  const std::vector<CorpusCase> corpus = read_resp_corpus();
  REQUIRE(corpus.size() > 40);
  for (const CorpusCase& one : corpus) {
    INFO(one.name);
    std::string_view rest = one.bytes;
    Command command;
    CommandVerdict verdict = read_command(rest, &command);
    while (verdict.kind == Kind::kCommand) {
      rest.remove_prefix(verdict.length_bytes);
      verdict = read_command(rest, &command);
    }
    CHECK((verdict.kind == Kind::kReject) == (one.name.rfind("reject-", 0) == 0));
    if (verdict.kind == Kind::kNeedMore) CHECK(rest.empty() != one.more);
    CHECK(broken_resp_property(one.bytes) == kNone);
  }
}

TEST_CASE("a changed corpus breaks no property of the reader", "[fuzz][command_reader]") {
  const std::vector<CorpusCase> corpus = read_resp_corpus();
  const std::string spice("\0\r\n *$-+019\"'\\x\xff", 16);
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
    REQUIRE(broken_resp_property(bytes) == kNone);
  }
}

}  // namespace featherid::test
