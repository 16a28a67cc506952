// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LOG_H_
#define FEATHERID_LOG_H_

#include <functional>
#include <string_view>

namespace featherid {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Receives the log lines of an allocator or a store, on any thread. It must be quick. The option
// that takes it says what else it must not do.
using LogCallback = std::function<void(LogLevel level, std::string_view message)>;

}  // namespace featherid

#endif  // FEATHERID_LOG_H_
