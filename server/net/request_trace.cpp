// SPDX-License-Identifier: MIT
#include "server/net/request_trace.h"

#include <algorithm>
#include <random>

namespace featherid {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Lower-case digits only, as the standard requires.
bool is_hex(std::string_view text, bool may_be_zero) {
  return text.find_first_not_of(kHexDigits) == std::string_view::npos &&
         (may_be_zero || text.find_first_not_of('0') != std::string_view::npos);
}

}  // namespace

std::uint64_t random_request_number() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

std::string request_id(std::uint64_t number) {
  std::string text(16, '0');
  for (std::size_t i = text.size(); i > 0; number >>= 4) text[--i] = kHexDigits[number & 15];
  return text;
}

std::string_view trace_id_of(std::string_view traceparent) {
  // version "-" trace-id "-" parent-id "-" flags; a later version may add more after a dash.
  constexpr std::size_t kBytes = 2 + 1 + 32 + 1 + 16 + 1 + 2;
  if (traceparent.size() < kBytes) return {};
  const std::string_view version = traceparent.substr(0, 2);
  const std::string_view trace_id = traceparent.substr(3, 32);
  const bool whole =
      traceparent.size() == kBytes || (version != "00" && traceparent[kBytes] == '-');
  const bool valid = whole && is_hex(version, true) && version != "ff" && traceparent[2] == '-' &&
                     is_hex(trace_id, false) && traceparent[35] == '-' &&
                     is_hex(traceparent.substr(36, 16), false) && traceparent[52] == '-' &&
                     is_hex(traceparent.substr(53, 2), true);
  return valid ? trace_id : std::string_view();
}

std::string log_tag(std::uint64_t number, std::string_view traceparent) {
  std::string text = "request=" + request_id(number);
  if (const std::string_view trace_id = trace_id_of(traceparent); !trace_id.empty()) {
    text.append(" trace=").append(trace_id);
  }
  return text;
}

std::string logged_target(std::string_view path, std::string_view query) {
  std::string text(path);
  while (!query.empty()) {
    const std::string_view param = query.substr(0, query.find('&'));
    for (const std::string_view known : {"biz_tag=", "count=", "as="}) {
      if (param.substr(0, known.size()) != known) continue;
      text += text.size() == path.size() ? '?' : '&';
      text += param;
    }
    query.remove_prefix(std::min(param.size() + 1, query.size()));
  }
  return text;
}

}  // namespace featherid
