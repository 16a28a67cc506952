// SPDX-License-Identifier: MIT
#include "server/http/request_gate.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <utility>

namespace featherid {

namespace {

// The reasons below name these limits in constant texts, which require no memory.
static_assert(kRequestLineBytesMax == 8032 && kTargetBytesMax == 8000);
static_assert(kHeaderLineBytesMax == 8000 && kHeaderSectionBytesMax == 16384 && kHeadersMax == 64);
static_assert(kBodyBytesMax == 16384);

constexpr std::string_view kMethods[] = {"GET",    "HEAD",  "POST",   "PUT",
                                         "DELETE", "PATCH", "OPTIONS"};

// Sets of bytes, as tables: every byte of a request is looked up in one of them.
using ByteSet = std::array<bool, 256>;

constexpr ByteSet with(ByteSet set, std::string_view more, bool in = true) {
  for (const char c : more) set[static_cast<unsigned char>(c)] = in;
  return set;
}

constexpr ByteSet make_text_bytes() {
  ByteSet set{};
  for (std::size_t byte = 0x20; byte < set.size(); ++byte) set[byte] = byte != 0x7f;
  return set;
}

constexpr ByteSet kTextBytes = make_text_bytes();  // all but the control characters
constexpr ByteSet kValueBytes = with(kTextBytes, "\t");
constexpr ByteSet kTargetBytes = with(kTextBytes, " #", false);
constexpr ByteSet kTokenBytes = with({},
                                     "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
constexpr ByteSet kHostBytes = with(kTokenBytes, ":[]");
constexpr ByteSet kAddressBytes = with({}, "0123456789abcdefABCDEF:.");  // IPv6

bool all_in(const ByteSet& set, std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [&set](char c) { return set[static_cast<unsigned char>(c)]; });
}

bool is_token(std::string_view text) { return !text.empty() && all_in(kTokenBytes, text); }

bool is_header_value(std::string_view text) { return all_in(kValueBytes, text); }

bool is_host(std::string_view text) { return all_in(kHostBytes, text); }

// The authority of a URL: a host, and perhaps a port. A user name before them is refused, as RFC
// 9110 (4.2.4) advises, because it can be mistaken for a host.
bool is_authority(std::string_view text) {
  const std::size_t colon = std::min(text.find(':', text.rfind(']') + 1), text.size());
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(std::min(colon + 1, text.size()));
  std::uint16_t number = 0;
  const char* const end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, number);
  if (!port.empty() && (error != std::errc() || stop != end)) return false;
  const bool is_address = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_address) host = host.substr(1, host.size() - 2);
  return !host.empty() && all_in(is_address ? kAddressBytes : kTokenBytes, host);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool list_contains(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// The parser of one request: each step returns false once the verdict is reached.
class Inspection {
 public:
  explicit Inspection(std::string_view bytes) : bytes_(bytes) {}

  GateVerdict run() {
    if (parse_request_line() && parse_headers() && check_head()) take_body();
    return verdict_;
  }

 private:
  enum class Line { kWhole, kPartial, kBad };

  bool reject(int status, const char* reason) {
    verdict_.kind = GateVerdict::Kind::kReject;
    verdict_.status = status;
    verdict_.reason = reason;
    return false;
  }

  // Takes the next line, without its CRLF. kPartial: the part that has arrived, without a CR at its
  // end, which may be half of a CRLF. So the verdict does not depend on how the bytes were split.
  Line next_line(std::string_view* line) {
    const std::string_view rest = bytes_.substr(at_);
    const std::size_t end = rest.find('\n');
    *line = rest.substr(0, end);
    const bool has_cr = !line->empty() && line->back() == '\r';
    if (has_cr) line->remove_suffix(1);
    if (end == std::string_view::npos) return Line::kPartial;
    at_ += end + 1;
    return has_cr ? Line::kWhole : Line::kBad;
  }

  bool parse_request_line() {
    std::string_view line;
    const Line found = next_line(&line);
    // At once, because another protocol's first bytes may never contain a line end.
    if (!line.empty() && !is_token(line.substr(0, 1))) return reject(400, "this is not HTTP");
    if (line.size() > kRequestLineBytesMax)
      return reject(414, "the request line is longer than 8032 bytes");
    if (found == Line::kBad) return reject(400, "lines must end in CRLF");
    if (found == Line::kPartial) return false;
    const std::size_t first_space = line.find(' ');
    const std::size_t last_space = line.rfind(' ');
    if (first_space == std::string_view::npos || first_space == last_space) {
      return reject(400, "the request line is not 'METHOD target HTTP/1.1'");
    }
    HttpRequest& request = verdict_.request;
    request.method = line.substr(0, first_space);
    std::string_view target = line.substr(first_space + 1, last_space - first_space - 1);
    const std::string_view version = line.substr(last_space + 1);
    if (!is_token(request.method)) return reject(400, "the method is malformed");
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
      return version.substr(0, 5) == "HTTP/" ? reject(505, "use HTTP/1.1")
                                             : reject(400, "the HTTP version is malformed");
    }
    if (std::find(std::begin(kMethods), std::end(kMethods), request.method) == std::end(kMethods)) {
      return reject(501, "the method is not supported");
    }
    if (target.size() > kTargetBytesMax) return reject(414, "the target is longer than 8000 bytes");
    if (target.empty() || !all_in(kTargetBytes, target))
      return reject(400, "the target is malformed");
    if (target.front() != '/' && !take_authority(&target)) return false;
    const std::size_t question = std::min(target.find('?'), target.size());
    request.path = question == 0 ? "/" : target.substr(0, question);
    request.query = target.substr(std::min(question + 1, target.size()));
    is_1_1_ = version == "HTTP/1.1";
    request.keep_alive = is_1_1_;
    return true;
  }

  // Called if the target does not begin with its path: it is "*" or in absolute form, which clients
  // send to proxies (RFC 9112, 3.2.2). Leaves path and query; either may be missing.
  bool take_authority(std::string_view* target) {
    if (*target == "*" && verdict_.request.method == "OPTIONS") {
      target->remove_prefix(1);
      return true;
    }
    const std::size_t scheme_size = target->find(':') + 3;
    const std::string_view scheme = target->substr(0, scheme_size);
    if (!equals_ignoring_case(scheme, "http://") && !equals_ignoring_case(scheme, "https://")) {
      return reject(400, "the target is neither a path nor an http URL");
    }
    target->remove_prefix(scheme_size);
    authority_ = target->substr(0, target->find_first_of("/?"));
    target->remove_prefix(authority_.size());
    return is_authority(authority_) || reject(400, "the target's authority is not HOST[:PORT]");
  }

  bool parse_headers() {
    const std::size_t section_limit = at_ + kHeaderSectionBytesMax;
    for (int headers = 0;; ++headers) {
      const std::size_t line_limit = at_ + kHeaderLineBytesMax;
      std::string_view line;
      const Line found = next_line(&line);
      const std::size_t end = found == Line::kPartial ? bytes_.size() : at_;
      // The limit that is reached first counts, so that the verdict does not depend on how the
      // bytes were split.
      if (line.size() > kHeaderLineBytesMax && line_limit < section_limit) {
        return reject(431, "a header line is longer than 8000 bytes");
      }
      if (end > section_limit) {
        return reject(431, "the headers together are longer than 16384 bytes");
      }
      if (found == Line::kBad) return reject(400, "lines must end in CRLF");
      if (found == Line::kPartial) return false;
      if (line.empty()) return true;
      if (headers == kHeadersMax) return reject(431, "there are more than 64 headers");
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return reject(400, "a header line is not 'Name: value'");
      }
      const std::string_view value = trim(line.substr(colon + 1));
      if (!is_header_value(value))
        return reject(400, "a header value contains a control character");
      if (!take_header(line.substr(0, colon), value)) return false;
    }
  }

  bool take_header(std::string_view name, std::string_view value) {
    HttpRequest& request = verdict_.request;
    const auto is = [name](std::string_view other) { return equals_ignoring_case(name, other); };
    const auto once = [&](std::string_view* field, const char* repeated) {
      if (field->data() != nullptr) return reject(400, repeated);
      *field = value;
      return true;
    };
    switch (name.front() | 0x20) {  // most headers of a browser end here
      case 'a':
        return !is("Authorization") || once(&request.authorization, "Authorization is given twice");
      case 'c':
        if (is("Content-Length")) return once(&content_length_, "Content-Length is given twice");
        if (is("Content-Type")) return once(&request.content_type, "Content-Type is given twice");
        if (is("Content-Encoding")) return reject(415, "Content-Encoding is not supported");
        if (is("Connection")) {
          if (list_contains(value, "close")) request.keep_alive = false;
        }
        return true;
      case 'f':
      case 'v':
      case 'x':
        if (is("Forwarded") || is("Via") || is("X-Real-IP") ||
            equals_ignoring_case(name.substr(0, 12), "X-Forwarded-")) {
          request.via_proxy = true;
        }
        return true;
      case 'h':
        return !is("Host") || once(&request.host, "Host is given twice");
      case 'o':
        return !is("Origin") || once(&request.origin, "Origin is given twice");
      case 's':
        if (is("Sec-Fetch-Site") && value != "same-origin" && value != "none") {
          request.cross_site = true;
        }
        return true;
      case 't':
        if (is("Transfer-Encoding")) return reject(501, "Transfer-Encoding is not supported");
        // W3C: several mean none. They are not an error, because this header decides nothing here.
        if (is("Traceparent")) {
          request.traceparent = std::exchange(has_traceparent_, true) ? std::string_view() : value;
        }
        return true;
      case 'u':
        return !is("User-Agent") || once(&request.user_agent, "User-Agent is given twice");
      default:
        return true;
    }
  }

  bool check_head() {
    if (is_1_1_ && verdict_.request.host.data() == nullptr) return reject(400, "Host is missing");
    if (!is_host(verdict_.request.host)) return reject(400, "Host is malformed");
    if (!authority_.empty()) verdict_.request.host = authority_;
    return true;
  }

  void take_body() {
    std::size_t length = 0;
    if (content_length_.data() != nullptr) {
      const char* end = content_length_.data() + content_length_.size();
      const auto [stop, error] = std::from_chars(content_length_.data(), end, length);
      const bool digits = !content_length_.empty() && stop == end;
      if (!digits) return void(reject(400, "Content-Length is not a number"));
      if (error != std::errc() || length > kBodyBytesMax) {
        return void(reject(413, "Content-Length is more than 16384 bytes"));
      }
    }
    if (bytes_.size() - at_ < length) return;
    verdict_.request.body = bytes_.substr(at_, length);
    verdict_.length_bytes = at_ + length;
    verdict_.kind = GateVerdict::Kind::kRequest;
  }

  const std::string_view bytes_;
  std::size_t at_ = 0;
  std::string_view authority_;  // of a target in absolute form
  bool is_1_1_ = false;
  std::string_view content_length_;
  bool has_traceparent_ = false;
  GateVerdict verdict_;
};

}  // namespace

GateVerdict inspect_request(std::string_view bytes) { return Inspection(bytes).run(); }

}  // namespace featherid
