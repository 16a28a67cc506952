// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_REPLY_H_
#define FEATHERID_SERVER_HTTP_REPLY_H_

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace featherid {

// The `code` of an answer of the API.
enum class ApiCode {
  kSuccess = 0,
  kBadRequest = 1,  // a parameter, or the request itself, is missing or not valid
  kUnavailable = 2,
  kBadCount = 3,
  kNoSuchTag = 4,
  kNotAllowed = 5,
  kTagStopped = 6,
  kConflict = 7,  // the tag exists already, or is not where the call expects it
  kDataLoss = 8,  // the store went backwards, or is another than the client knows
  kFixFirst = 9,  // somebody must first fix what the message names
};

// One answer, before it is rendered.
struct Reply {
  using Header = std::pair<const char*, std::string>;

  int status = 200;
  const char* content_type = "application/json";
  std::string body;
  std::vector<Header> headers;       // only those that not every answer has
  std::uint64_t request_number = 0;  // an error names its request by it; 0: no name
  std::string_view date;             // now, in the format of http_date()

  // {"code":0,"msg":"success","data":<json>}
  void succeed(std::string_view json);
  // {"code":0,"msg":"success","data":<json>,"period":"<period>"}
  void succeed_in(std::string_view period, std::string_view json);
  // {"code":…,"msg":"…","data":null}, whatever the reply was before
  void fail(int http_status, ApiCode code, std::string_view message);
  // 503; the client may try again in a second
  void fail_for_now(std::string_view message, ApiCode code = ApiCode::kUnavailable);
};

// The request's id for X-Request-Id. Empty if the answer is not an error: then only the log needs
// it.
std::string request_id_of(const Reply& reply);

// "Sun, 06 Nov 1994 08:49:37 GMT", in any locale.
std::string http_date(std::time_t time);

// For example "Not Found".
const char* reason_phrase(int status);

// Appends the answer as HTTP/1.1. `head` leaves the body out. `close` tells the client that the
// connection ends after it.
void append_response(const Reply& reply, bool head, bool close, std::string* out);

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_REPLY_H_
