// SPDX-License-Identifier: MIT
#include "lib/store/etcd/base64.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("bytes become base64 and come back", "[base64]") {
  // RFC 4648, section 10
  for (const auto& [bytes, text] : {std::pair<const char*, const char*>("", ""),
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}}) {
    CHECK(base64_encode(bytes) == text);
    CHECK(*base64_decode(text) == bytes);
  }
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const std::string bytes = all.substr(256 - size);
    CHECK(*base64_decode(base64_encode(bytes)) == bytes);
  }
}

TEST_CASE("what is no base64 is refused", "[base64]") {
  for (const char* const text :
       {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9-", "Zm9 ", "=Zm9"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

}  // namespace featherid
