// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_REQUEST_TRACE_H_
#define FEATHERID_SERVER_NET_REQUEST_TRACE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace featherid {

// The number from which a loop counts its requests. It is random, so that loops and processes start
// differently.
std::uint64_t random_request_number();

// A request's number as it appears in answers and log lines: 16 hexadecimal digits.
std::string request_id(std::uint64_t number);

// The trace-id of a `traceparent` of W3C Trace Context; empty if that is not valid.
std::string_view trace_id_of(std::string_view traceparent);

// The end of a log line about a request: "request=…", and " trace=…" if the client sent a valid
// traceparent.
std::string log_tag(std::uint64_t number, std::string_view traceparent);

// The target as it appears in log lines. Of the query, it contains only the parameters of the id
// routes. So a token that a client puts there by mistake does not reach a log.
std::string logged_target(std::string_view path, std::string_view query);

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_REQUEST_TRACE_H_
