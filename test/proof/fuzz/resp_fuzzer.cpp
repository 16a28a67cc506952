// SPDX-License-Identifier: MIT
// The target of libFuzzer for the Redis protocol. scripts/fuzz builds and runs it.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "test/proof/fuzz/resp_properties.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string broken =
      featherid::test::broken_resp_property({reinterpret_cast<const char*>(data), size});
  if (!broken.empty()) {
    std::fprintf(stderr, "a property is broken: %s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
