// SPDX-License-Identifier: MIT
#include "server/logging.h"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>
#include <string>
#include <utility>

#include "server/http/reply.h"

namespace featherid {

namespace {

constexpr std::size_t kQueueLinesMax = 8192;

constexpr std::pair<std::string_view, spdlog::level::level_enum> kLevels[] = {
    {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},
    {"warn", spdlog::level::warn},
    {"error", spdlog::level::err},
};

// The logger whose messages are members of a JSON object already; there in JSON only.
const char* const kJsonLogger = "json";

// A message as members of a JSON object: %J in a pattern.
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

// The level by the name that setting and API have for it: %l in a pattern.
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

// All that a line is written to; used by the thread that writes. It also tells, about once a
// second, how many lines did not come so far.
class Outputs final : public spdlog::sinks::dist_sink<spdlog::details::null_mutex> {
 public:
  // `queue` is the writing thread's. (To ask spdlog for it would wait for its end, at the end.)
  explicit Outputs(spdlog::details::thread_pool& queue) : queue_(queue) {}

 private:
  void flush_() override {
    const std::size_t overrun = queue_.overrun_counter();
    if (overrun > told_) {
      const std::string text = std::to_string(overrun - told_) +
                               " log lines were dropped: there were more than could be written";
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
  outputs->add_sink(std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  if (files) outputs->add_sink(std::move(files));
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
  // The level that counts is the default logger's, which changes at run time.
  if (!spdlog::should_log(level)) return;
  if (const auto logger = spdlog::get(kJsonLogger)) logger->log(level, "{}", members);
}

void stop_logging() {
  // Kept until the thread that writes is joined, so that it is not the one to destroy it.
  const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
  logger->flush();  // for what Outputs has to tell
  spdlog::shutdown();
}

std::int64_t log_lines_overrun() {
  const std::shared_ptr<spdlog::details::thread_pool> pool = spdlog::thread_pool();
  return pool ? static_cast<std::int64_t>(pool->overrun_counter()) : 0;
}

void log_core(LogLevel level, std::string_view message) {
  static constexpr spdlog::level::level_enum kLevelOf[] = {
      spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  spdlog::log(kLevelOf[static_cast<int>(level)], "{}", message);
}

}  // namespace featherid
