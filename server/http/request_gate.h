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

// What the server knows about a request. The views point into the inspected bytes or to constants.
// Headers that are not listed here are ignored.
struct HttpRequest {
  std::string_view method;
  std::string_view path;  // "/" if the target has none: "http://host" and "*"
  std::string_view query;
  std::string_view body;
  std::string_view host;  // the target's if it is in absolute form, else the header's
  std::string_view authorization;
  std::string_view content_type;
  std::string_view origin;
  std::string_view traceparent;  // empty if it is repeated
  std::string_view user_agent;
  bool keep_alive = false;
  bool via_proxy = false;   // Forwarded, X-Forwarded-*, X-Real-IP or Via was there
  bool cross_site = false;  // a browser reports that a page of another site sent it
};

struct GateVerdict {
  enum class Kind { kNeedMore, kRequest, kReject };
  Kind kind = Kind::kNeedMore;
  HttpRequest request;           // kRequest
  std::size_t length_bytes = 0;  // kRequest: its length
  int status = 0;                // kReject: the HTTP status
  const char* reason = "";       // kReject: what is wrong, and with which header or limit
};

// Inspects the bytes that a client has sent since its last request ended. A pure function. It is
// strict: it rejects whatever two HTTP parsers could read differently. It returns kNeedMore only
// for up to kRequestBytesMax bytes.
GateVerdict inspect_request(std::string_view bytes);

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_REQUEST_GATE_H_
