// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_ACCESS_LOG_H_
#define FEATHERID_SERVER_HTTP_ACCESS_LOG_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace featherid {

// What the log says of one answer.
struct AccessLine {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::string_view no_request;  // why, of what was no request; then there is none of the above
  bool changes = false;         // it changes something, and the client may
  int status = 0;
  std::size_t bytes = 0;  // of the answer
  std::chrono::nanoseconds took{0};
  std::string peer;
  std::uint64_t request_number = 0;
  std::string_view traceparent;
};

// Whether an AccessLine would come into the log: at level info if the request changes something,
// else at debug.
bool logs_access(bool changes);

// In JSON the line's parts are members of the object, beside `message`.
void log_access(const AccessLine& line);

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_ACCESS_LOG_H_
