// SPDX-License-Identifier: MIT
#include "featherid/segment_store.h"

#include "featherid/tag_admin.h"
#include "lib/base/utf8.h"

namespace featherid {

namespace {

bool is_space(char32_t c) {
  return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

Status no_leases_to_others() {
  return {StatusCode::kFailedPrecondition,
          "this kind of store cannot lease to other processes; use a database"};
}

}  // namespace

Status validate_tag(std::string_view tag) {
  const auto refused = [](const char* reason) {
    return Status(StatusCode::kInvalidArgument,
                  std::string("the tag ") + reason + "; use 1 to 64 characters of UTF-8");
  };
  if (tag.empty()) return refused("is empty");
  int chars = 0;
  char32_t last = 0;
  for (std::string_view rest = tag; !rest.empty();) {
    const Utf8Char first = utf8_char(rest);
    if (first.bytes == 0) return refused("is not well-formed UTF-8");
    last = first.code_point;
    if (is_control(last)) return refused("contains a control character");
    if (++chars > kTagCharsMax) return refused("is too long");
    if (chars == 1 && is_space(last)) return refused("starts with a space");
    rest.remove_prefix(first.bytes);
  }
  if (is_space(last)) return refused("ends with a space");
  return {};
}

SegmentStore::~SegmentStore() = default;
Result<TagChanges> SegmentStore::changes(std::int64_t /*version*/) { return TagChanges(); }

Result<IdRange> SegmentStore::lease_in_period(std::string_view tag, const Period& /*period*/,
                                              LeaseSize /*size*/) {
  return Status(StatusCode::kFailedPrecondition,
                "tag '" + std::string(tag) + "' is in a store without periods");
}

TagAdmin::~TagAdmin() = default;
Store::~Store() = default;
std::string Store::leader() const { return ""; }
Result<StoreIdentity> Store::identity() { return no_leases_to_others(); }
Result<TagChanges> Store::changes_for_other(std::int64_t /*version*/) {
  return no_leases_to_others();
}
Result<bool> Store::give_back_for_other(std::string_view /*tag*/, IdRange /*tail*/,
                                        std::int64_t /*applied*/) {
  return no_leases_to_others();
}

}  // namespace featherid
