// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LOG_H_
#define FEATHERID_LOG_H_

#include <functional>
#include <string_view>

namespace featherid {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Receives the library's log lines, on any thread. It must be quick, and must not use the allocator
// except to shut it down or destroy it.
using LogCallback = std::function<void(LogLevel level, std::string_view message)>;

}  // namespace featherid

#endif  // FEATHERID_LOG_H_
