// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONFIG_VALUES_H_
#define FEATHERID_SERVER_CONFIG_VALUES_H_

#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "featherid/status.h"

namespace featherid {

// Values of settings, from their text. Bounds have the same form as the value. All errors are
// kInvalidArgument, and say what to write.

Status invalid(std::string message);

// A whole number without a unit.
Result<std::int64_t> parse_number(const std::string& text, const char* min, const char* max);

// A number of bytes: 1000, 1KB, 1KiB, 1MB, …
Result<std::int64_t> parse_size(const std::string& text, const char* min, const char* max);

// A duration with its unit: 10ms, 2s, 5m, 1h.
Result<std::chrono::milliseconds> parse_duration(const std::string& text, const char* min,
                                                 const char* max);

// HOST:PORT. HOST is an IP address, with an IPv6 address in brackets, or localhost.
Result<asio::ip::tcp::endpoint> parse_listen(const std::string& text);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONFIG_VALUES_H_
