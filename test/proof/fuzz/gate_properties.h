// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_FUZZ_GATE_PROPERTIES_H_
#define FEATHERID_TEST_PROOF_FUZZ_GATE_PROPERTIES_H_

#include <string>
#include <string_view>

namespace featherid::test {

// What must hold for whatever bytes a client sends: of the gate's verdict, and of the query and
// the reply of a request that it lets through. Names the property that these bytes break and how;
// empty when none is broken.
std::string broken_property(std::string_view bytes);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_PROOF_FUZZ_GATE_PROPERTIES_H_
