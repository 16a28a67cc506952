// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_REQUEST_GATE_H_
#define FEATHERID_SERVER_HTTP_REQUEST_GATE_H_

#include <cstddef>
#include <string_view>

namespace featherid {

// The bounds of one request.
constexpr std::size_t kTargetBytesMax = 8000;
constexpr std::size_t kHeaderLineBytesMax = 8000;
constexpr std::size_t kHeaderSectionBytesMax = 16 * 1024;
constexpr std::size_t kBodyBytesMax = 16 * 1024;
constexpr int kHeadersMax = 64;
constexpr std::size_t kRequestLineBytesMax = kTargetBytesMax + 32;
constexpr std::size_t kRequestBytesMax =
    kRequestLineBytesMax + kHeaderSectionBytesMax + kBodyBytesMax;

// What the server knows of a request. The views lie in the bytes that were looked at, or in the
// program. A header that is not listed here reaches nobody.
struct HttpRequest {
  std::string_view method;
  std::string_view path;  // "/" if the target has none: "http://host" and "*"
  std::string_view query;
  std::string_view body;
  std::string_view host;  // the target's if it is in absolute form, else the header's
  std::string_view authorization;
  std::string_view content_type;
  std::string_view origin;
  std::string_view traceparent;  // none when it is repeated
  std::string_view user_agent;
  bool keep_alive = false;
  bool via_proxy = false;   // Forwarded, X-Forwarded-*, X-Real-IP or Via was there
  bool cross_site = false;  // a browser says that another site's page asks
};

struct GateVerdict {
  enum class Kind { kNeedMore, kRequest, kReject };
  Kind kind = Kind::kNeedMore;
  HttpRequest request;           // kRequest
  std::size_t length_bytes = 0;  // kRequest: how many of the bytes it takes up
  int status = 0;                // kReject: the HTTP status
  const char* reason = "";       // kReject: what is wrong, and with which header or limit
};

// Looks at the bytes that a client has sent since its last request ended. A pure function, and
// strict: whatever two HTTP parsers could read in two ways is rejected. Answers kNeedMore to no
// more than kRequestBytesMax bytes.
GateVerdict inspect_request(std::string_view bytes);

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_REQUEST_GATE_H_
