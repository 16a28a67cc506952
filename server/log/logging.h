// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_LOG_LOGGING_H_
#define FEATHERID_SERVER_LOG_LOGGING_H_

#include <spdlog/common.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/log.h"
#include "server/log/log_files.h"

namespace featherid {

// debug, info, warn, error.
std::optional<spdlog::level::level_enum> parse_log_level(std::string_view name);
std::string_view log_level_name(spdlog::level::level_enum level);

// kJson: each line is an object with time, level and message, and perhaps more members.
enum class LogFormat { kText, kJson };

// Creates spdlog's default logger. It writes to standard error and, if `files` is not null, to
// files. It writes on its own thread. If that thread falls behind, the logger drops the oldest
// lines instead of delaying requests, and logs how many. A line that standard error does not accept
// within a second is dropped too. The level belongs to the logger, so a rotation does not change
// it.
void start_logging(spdlog::level::level_enum level, LogFormat format,
                   std::shared_ptr<LogFiles> files);

// Whether the log is in JSON. If so, log_json() logs a line with `members`, JSON text that includes
// `"message":…`.
bool logs_json();
void log_json(spdlog::level::level_enum level, std::string_view members);

// Writes the queued lines and ends logging.
void stop_logging();

// The number of lines dropped because the writing thread fell behind.
std::int64_t log_lines_overrun();

// The number of lines that standard error did not accept in time.
std::int64_t log_lines_lost_on_stderr();

// The last lines of level warn and above, the oldest first.
struct LogLine {
  std::chrono::system_clock::time_point at;
  spdlog::level::level_enum level;
  std::string text;
};
constexpr std::size_t kRecentWarningsMax = 50;
std::vector<LogLine> recent_warnings();

// Logs a line of the core; for AllocatorOptions::log.
void log_core(LogLevel level, std::string_view message);

}  // namespace featherid

#endif  // FEATHERID_SERVER_LOG_LOGGING_H_
