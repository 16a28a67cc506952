// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_FUZZ_RESP_PROPERTIES_H_
#define FEATHERID_TEST_PROOF_FUZZ_RESP_PROPERTIES_H_

#include <string>
#include <string_view>

namespace featherid::test {

// What these bytes of a Redis client break, or nothing:
// - The verdict on a command does not depend on how its bytes were split, nor on what follows.
// - A command is bounded, and more bytes are asked for only below the bound.
// - The arguments, sent again as an array, are the same arguments. An array is that text.
// - An error that contains the arguments is one line; an argument that is answered is one value.
std::string broken_resp_property(std::string_view bytes);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_PROOF_FUZZ_RESP_PROPERTIES_H_
