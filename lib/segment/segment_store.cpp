// SPDX-License-Identifier: MIT
#include "featherid/segment_store.h"

#include <cstddef>

#include "featherid/tag_admin.h"

namespace featherid {

namespace {

// The length in bytes of the well-formed UTF-8 sequence at the start of `text` and its code point,
// or 0 bytes when there is none (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
struct Decoded {
  std::size_t bytes;
  char32_t code_point;
};

Decoded decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {0, 0};
  char32_t code_point = lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {0, 0};
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  const bool overlong =
      (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (overlong || surrogate || code_point > 0x10FFFF) return {0, 0};
  return {length, code_point};
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

bool is_space(char32_t c) {
  return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

Status validate_tag(std::string_view tag) {
  const auto refused = [](const char* reason) {
    return Status(StatusCode::kInvalidArgument,
                  std::string("biz_tag ") + reason + "; use 1 to 64 characters of UTF-8");
  };
  if (tag.empty()) return refused("is empty");
  int chars = 0;
  char32_t last = 0;
  for (std::string_view rest = tag; !rest.empty();) {
    const Decoded decoded = decode_utf8(rest);
    if (decoded.bytes == 0) return refused("is not well-formed UTF-8");
    last = decoded.code_point;
    if (is_control(last)) return refused("contains a control character");
    if (++chars > kTagCharsMax) return refused("is too long");
    if (chars == 1 && is_space(last)) return refused("starts with a space");
    rest.remove_prefix(decoded.bytes);
  }
  if (is_space(last)) return refused("ends with a space");
  return {};
}

SegmentStore::~SegmentStore() = default;
TagAdmin::~TagAdmin() = default;
Store::~Store() = default;

}  // namespace featherid
