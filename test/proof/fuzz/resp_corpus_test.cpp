// SPDX-License-Identifier: MIT
#include <string>

#include "server/resp/command_reader.h"
#include "test/proof/fuzz/corpus.h"
#include "test/proof/fuzz/mangled.h"
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
  const std::string spice("\0\r\n *$-+019\"'\\x\xff", 16);
  for_each_mangled(read_resp_corpus(), spice,
                   [](const std::string& bytes) { REQUIRE(broken_resp_property(bytes) == kNone); });
}

}  // namespace featherid::test
