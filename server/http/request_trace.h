// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_REQUEST_TRACE_H_
#define FEATHERID_SERVER_HTTP_REQUEST_TRACE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace featherid {

// Where a loop begins to count its requests: no two loops and processes should begin alike.
std::uint64_t random_request_number();

// A request's number as answers and log lines spell it: 16 hexadecimal digits.
std::string request_id(std::uint64_t number);

// The trace-id of a `traceparent` as W3C Trace Context has it; empty when it is not valid.
std::string_view trace_id_of(std::string_view traceparent);

// What a log line that belongs to a request ends in: "request=…", and " trace=…" where the client
// sent a valid traceparent.
std::string log_tag(std::uint64_t number, std::string_view traceparent);

// What was asked for, as log lines spell it: of the query only what the id routes take. A client
// that puts a token there by mistake does not find it in a log.
std::string logged_target(std::string_view path, std::string_view query);

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_REQUEST_TRACE_H_
