// SPDX-License-Identifier: MIT
#include <string>

#include "featherid/tag_admin.h"
#include "test/support/catch.h"

namespace featherid {

namespace {
std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}
}  // namespace

TEST_CASE("good tags are accepted", "[segment_store]") {
  for (const std::string& tag :
       {std::string("order"), std::string("a"), std::string("号段"), std::string("a b"),
        std::string("it's \"x\" \\ % ; --"), repeated("x", 64), repeated("段", 64),
        repeated("\xF0\x9F\x90\xA6", 64)}) {
    CHECK(validate_tag(tag).ok());
  }
}

TEST_CASE("bad tags are refused with the reason", "[segment_store]") {
  const auto message = [](const std::string& tag) {
    const Status status = validate_tag(tag);
    CHECK(status.code() == StatusCode::kInvalidArgument);
    return status.message();
  };
  CHECK_THAT(message(""), Contains("empty"));
  CHECK_THAT(message(repeated("x", 65)), Contains("too long"));
  CHECK_THAT(message(repeated("段", 65)), Contains("too long"));
  CHECK_THAT(message(std::string("a\0b", 3)), Contains("control"));
  CHECK_THAT(message("a\nb"), Contains("control"));
  CHECK_THAT(message("a\x7F"), Contains("control"));
  CHECK_THAT(message("a\xC2\x85"), Contains("control"));  // U+0085
  CHECK_THAT(message(" a"), Contains("starts"));
  CHECK_THAT(message("a "), Contains("ends"));
  CHECK_THAT(message("a\xE3\x80\x80"), Contains("ends"));  // U+3000
  for (const char* malformed : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82",
                                "\x80", "a\xC3", "\xE0\x80\x80", "\xF0\x80\x80\x80"}) {
    CHECK_THAT(message(malformed), Contains("UTF-8"));
  }
}

}  // namespace featherid
