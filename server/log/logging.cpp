// SPDX-License-Identifier: MIT
#include "server/log/logging.h"

#include <spdlog/async.h>
#include <spdlog/details/os.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <string>
#include <utility>

#include "server/log/json.h"
#include "server/log/write_in_time.h"

namespace featherid {

namespace {

constexpr std::size_t kQueueLinesMax = 4096;

constexpr std::pair<std::string_view, spdlog::level::level_enum> kLevels[] = {
    {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},
    {"warn", spdlog::level::warn},
    {"error", spdlog::level::err},
};

// The logger whose messages are already members of a JSON object. It exists only if the log is in
// JSON.
const char* const kJsonLogger = "json";

// Writes a message as members of a JSON object: %J in a pattern.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    std::string text(message.payload.data(), message.payload.size());
    if (message.logger_name != kJsonLogger) text = "\"message\":" + json_string(text);
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

// Writes the level by its name in the setting and the API: %l in a pattern.
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string_view name = log_level_name(message.level);
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>();
  }
};

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonMessage>('J').add_flag<LevelName>('l').set_pattern(
      format == LogFormat::kText ? "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v"
                                 : R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%J})");
  return formatter;
}

std::atomic<std::int64_t> lines_lost_on_stderr{0};

using RecentWarnings = spdlog::sinks::ringbuffer_sink_mt;

const std::shared_ptr<RecentWarnings>& recent_warnings_sink() {
  static const auto sink = [] {
    auto ring = std::make_shared<RecentWarnings>(kRecentWarningsMax);
    ring->set_level(spdlog::level::warn);
    return ring;
  }();
  return sink;
}

// Standard error. A line that it does not accept in time (for example because a pipe is full) is
// counted and dropped, so that the log files continue. Used only by the writing thread.
class StandardError final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    // A reader may be a second behind. Once a line was lost, probably nobody reads, so the next
    // lines do not wait.
    const std::chrono::milliseconds wait_max(lost_now_ > 0 ? 0 : 1000);
    std::string text(torn_ ? "\n" : "");
    if (lost_now_ > 0) {
      const std::string note = std::to_string(lost_now_) + " log lines could not be written";
      append({message.time, {}, {}, spdlog::level::warn, note}, &text);
    }
    const std::size_t told = text.size();
    append(message, &text);
    const std::size_t written = write_in_time(STDERR_FILENO, text, wait_max);
    if (written > 0) torn_ = text[written - 1] != '\n';
    if (written >= told) lost_now_ = 0;
    if (written < text.size()) {
      ++lost_now_;
      ++lines_lost_on_stderr;
    }
  }

  void append(const spdlog::details::log_msg& message, std::string* text) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const std::string_view whole(line.data(), line.size());
    if (!coloured_ || message.color_range_end <= message.color_range_start) {
      text->append(whole);
      return;
    }
    text->append(whole.substr(0, message.color_range_start)).append(colour_of(message.level));
    text->append(whole.substr(message.color_range_start,
                              message.color_range_end - message.color_range_start));
    text->append("\033[m").append(whole.substr(message.color_range_end));
  }

  static const char* colour_of(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return "\033[31m\033[1m";
    if (level == spdlog::level::warn) return "\033[33m\033[1m";
    return level == spdlog::level::info ? "\033[32m" : "\033[36m";
  }

  void flush_() override {}

  const bool coloured_ =
      spdlog::details::os::in_terminal(stderr) && spdlog::details::os::is_color_terminal();
  std::int64_t lost_now_ = 0;  // lost lines that have not been reported yet
  bool torn_ = false;          // a line was written in part
};

// All outputs of a line. Used only by the writing thread. About once a second it also reports how
// many lines were dropped from the queue.
class Outputs final : public spdlog::sinks::dist_sink<spdlog::details::null_mutex> {
 public:
  // `queue` belongs to the writing thread. (Asking spdlog for it during shutdown would deadlock.)
  explicit Outputs(spdlog::details::thread_pool& queue) : queue_(queue) {}

 private:
  void flush_() override {
    const std::size_t overrun = queue_.overrun_counter();
    if (overrun > told_) {
      const std::string text = std::to_string(overrun - told_) +
                               " log lines were dropped: more arrived than could be written";
      told_ = overrun;
      sink_it_({{}, spdlog::level::warn, text});
    }
    dist_sink::flush_();
  }

  spdlog::details::thread_pool& queue_;
  std::size_t told_ = 0;
};

}  // namespace

std::optional<spdlog::level::level_enum> parse_log_level(std::string_view name) {
  for (const auto& [known, level] : kLevels) {
    if (known == name) return level;
  }
  return std::nullopt;
}

std::string_view log_level_name(spdlog::level::level_enum level) {
  for (const auto& [name, known] : kLevels) {
    if (known == level) return name;
  }
  return "off";
}

void start_logging(spdlog::level::level_enum level, LogFormat format,
                   std::shared_ptr<LogFiles> files) {
  spdlog::init_thread_pool(kQueueLinesMax, 1);
  auto outputs = std::make_shared<Outputs>(*spdlog::thread_pool());
  outputs->add_sink(std::make_shared<StandardError>());
  if (files) outputs->add_sink(std::move(files));
  outputs->add_sink(recent_warnings_sink());
  const auto make_logger = [&](const char* name, spdlog::level::level_enum least) {
    auto logger = std::make_shared<spdlog::async_logger>(
        name, outputs, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
    logger->set_formatter(make_formatter(format));
    logger->set_level(least);
    return logger;
  };
  spdlog::set_default_logger(make_logger("featherid", level));
  if (format == LogFormat::kJson) {
    spdlog::register_logger(make_logger(kJsonLogger, spdlog::level::trace));
  }
  spdlog::flush_every(std::chrono::seconds(1));
}

bool logs_json() { return spdlog::get(kJsonLogger) != nullptr; }

void log_json(spdlog::level::level_enum level, std::string_view members) {
  // The default logger's level decides; it can change at run time.
  if (!spdlog::should_log(level)) return;
  if (const auto logger = spdlog::get(kJsonLogger)) logger->log(level, "{}", members);
}

void stop_logging() {
  // Kept until the writing thread is joined, so that this thread destroys the logger.
  const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
  logger->flush();  // for the last report of Outputs
  spdlog::shutdown();
}

std::int64_t log_lines_overrun() {
  const std::shared_ptr<spdlog::details::thread_pool> pool = spdlog::thread_pool();
  return pool ? static_cast<std::int64_t>(pool->overrun_counter()) : 0;
}

std::int64_t log_lines_lost_on_stderr() { return lines_lost_on_stderr; }

std::vector<LogLine> recent_warnings() {
  std::vector<LogLine> lines;
  for (const spdlog::details::log_msg_buffer& line : recent_warnings_sink()->last_raw()) {
    lines.push_back({line.time, line.level, std::string(line.payload.data(), line.payload.size())});
  }
  return lines;
}

void log_core(LogLevel level, std::string_view message) {
  static constexpr spdlog::level::level_enum kLevelOf[] = {
      spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  spdlog::log(kLevelOf[static_cast<int>(level)], "{}", message);
}

}  // namespace featherid
