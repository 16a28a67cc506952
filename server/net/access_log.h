// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_ACCESS_LOG_H_
#define FEATHERID_SERVER_NET_ACCESS_LOG_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace featherid {

// The log line of one answer.
struct AccessLine {
  std::string what;       // the request, or "no request: " and why there was none
  std::string result;     // how it was answered, such as "status=200"
  std::string members;    // both as members of a JSON object; not empty
  bool changes = false;   // it changes something, and the client is allowed to
  std::size_t bytes = 0;  // of the answer
  std::chrono::nanoseconds took{0};
  std::string peer;
  std::uint64_t request_number = 0;
  std::string_view traceparent;
};

// Whether an AccessLine would be logged: at level info if the request changes something, else at
// debug.
bool logs_access(bool changes);

// In JSON, the parts of the line are members of the object, in addition to `message`.
void log_access(const AccessLine& line);

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_ACCESS_LOG_H_
