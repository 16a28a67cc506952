// SPDX-License-Identifier: MIT
#include "server/logging.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>
#include <vector>

namespace featherid {

namespace {

constexpr std::size_t kQueueLinesMax = 8192;

constexpr std::pair<std::string_view, spdlog::level::level_enum> kLevels[] = {
    {"debug", spdlog::level::debug},
    {"info", spdlog::level::info},
    {"warn", spdlog::level::warn},
    {"error", spdlog::level::err},
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

void start_logging(spdlog::level::level_enum level, std::shared_ptr<LogFiles> files) {
  std::vector<spdlog::sink_ptr> sinks{std::make_shared<spdlog::sinks::stderr_color_sink_mt>()};
  if (files) sinks.push_back(std::move(files));
  spdlog::init_thread_pool(kQueueLinesMax, 1);
  auto logger = std::make_shared<spdlog::async_logger>(
      "featherid", sinks.begin(), sinks.end(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  logger->set_level(level);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  spdlog::flush_every(std::chrono::seconds(1));
}

void stop_logging() {
  // Kept until the thread that writes is joined, so that it is not the one to destroy it.
  const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
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
