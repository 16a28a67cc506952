// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_LOG_WRITE_IN_TIME_H_
#define FEATHERID_SERVER_LOG_WRITE_IN_TIME_H_

#include <chrono>
#include <cstddef>
#include <string_view>

namespace featherid {

// Writes `text` to a descriptor that other processes may share, and that may be a pipe that nobody
// reads. Waits `wait_max` at most in total. Returns the number of bytes written.
std::size_t write_in_time(int fd, std::string_view text, std::chrono::milliseconds wait_max);

}  // namespace featherid

#endif  // FEATHERID_SERVER_LOG_WRITE_IN_TIME_H_
