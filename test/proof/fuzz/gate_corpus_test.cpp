// SPDX-License-Identifier: MIT
#include <string>

#include "server/http/request_gate.h"
#include "test/proof/fuzz/corpus.h"
#include "test/proof/fuzz/gate_properties.h"
#include "test/proof/fuzz/mangled.h"
#include "test/support/catch.h"

namespace featherid::test {

namespace {

const std::string kNone;  // the result of broken_property() if nothing is broken

}  // namespace

TEST_CASE("the gate's verdict on each file of the corpus matches its name",
          "[fuzz][request_gate]") {
  const std::vector<CorpusCase> corpus = read_corpus();
  REQUIRE(corpus.size() > 100);
  for (const CorpusCase& one : corpus) {
    INFO(one.name);
    std::string_view rest = one.bytes;
    GateVerdict verdict = inspect_request(rest);
    while (verdict.kind == GateVerdict::Kind::kRequest) {
      rest.remove_prefix(verdict.length_bytes);
      verdict = inspect_request(rest);
    }
    if (one.status != 0) {
      CHECK(verdict.kind == GateVerdict::Kind::kReject);
      CHECK(verdict.status == one.status);
    } else {
      CHECK(verdict.kind == GateVerdict::Kind::kNeedMore);
      CHECK(rest.empty() != one.more);
    }
    CHECK(broken_property(one.bytes) == kNone);
  }
}

TEST_CASE("a changed corpus breaks no property of the gate", "[fuzz][request_gate]") {
  const std::string spice("\0\r\n :;\t/?#%AG1\x7f\xff", 16);
  for_each_mangled(read_corpus(), spice,
                   [](const std::string& bytes) { REQUIRE(broken_property(bytes) == kNone); });
}

}  // namespace featherid::test
