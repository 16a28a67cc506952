// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_LOGGING_H_
#define FEATHERID_SERVER_LOGGING_H_

#include <spdlog/common.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "featherid/segment_allocator.h"
#include "server/log_files.h"

namespace featherid {

// debug, info, warn, error.
std::optional<spdlog::level::level_enum> parse_log_level(std::string_view name);
std::string_view log_level_name(spdlog::level::level_enum level);

// kJson: each line is an object with time, level, message, and members of its own.
enum class LogFormat { kText, kJson };

// Makes spdlog's default logger: standard error and, where `files` is not null, files. It writes on
// a thread of its own and, when that falls behind, drops the oldest lines rather than hold up a
// request, and writes how many; what standard error does not take within a second is dropped, too.
// The level is the logger's, so a rotation does not touch it.
void start_logging(spdlog::level::level_enum level, LogFormat format,
                   std::shared_ptr<LogFiles> files);

// Whether the log is in JSON. Then log_json() logs a line whose further members, `"message":…`
// among them, the caller has put into words.
bool logs_json();
void log_json(spdlog::level::level_enum level, std::string_view members);

// Writes what is queued, and logs no more.
void stop_logging();

// How many lines the thread that writes has dropped because it fell behind.
std::int64_t log_lines_overrun();

// How many lines standard error has not taken in time.
std::int64_t log_lines_lost_on_stderr();

// The core's log lines, for AllocatorOptions::log.
void log_core(LogLevel level, std::string_view message);

}  // namespace featherid

#endif  // FEATHERID_SERVER_LOGGING_H_
