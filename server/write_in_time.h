// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_WRITE_IN_TIME_H_
#define FEATHERID_SERVER_WRITE_IN_TIME_H_

#include <chrono>
#include <cstddef>
#include <string_view>

namespace featherid {

// Writes `text` to a descriptor that others may share and that may be a pipe which nobody reads:
// waits no longer than `wait_max` in all until it can be taken. Returns how many bytes were.
std::size_t write_in_time(int fd, std::string_view text, std::chrono::milliseconds wait_max);

}  // namespace featherid

#endif  // FEATHERID_SERVER_WRITE_IN_TIME_H_
