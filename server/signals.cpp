// SPDX-License-Identifier: MIT
#include "server/signals.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "server/log/joined.h"
#include "server/ops/descriptor_limit.h"

namespace featherid {

namespace {

// When asio's last set of a signal ends, the signal gets its default action back and ends the
// process, which may be about to exit with 0. So one set lasts as long as the process. Nothing
// reads what arrives there.
void ignore_after_last_set() {
  static auto* const context = new asio::io_context;
  static auto* const set = new asio::signal_set(*context, SIGTERM, SIGINT, SIGHUP);
  static_cast<void>(set);
}

}  // namespace

Signals::Signals(const Config& config, ReadConfig read_again, NetServer& server, Auth& auth,
                 std::shared_ptr<LogFiles> log_files, const ServiceManager& manager)
    : config_(config),
      read_again_(std::move(read_again)),
      server_(server),
      auth_(auth),
      log_files_(std::move(log_files)),
      manager_(manager),
      signals_(server.main_loop(), SIGTERM, SIGINT, SIGHUP) {
  ignore_after_last_set();
  wait();
}

void Signals::wait() {
  signals_.async_wait([this](asio::error_code error, int number) {
    if (!error) handle(number);
  });
}

void Signals::handle(int number) {
  if (number == SIGHUP) {
    manager_.reloading();
    if (log_files_) log_files_->reopen();
    spdlog::info("SIGHUP: reopening the log files");
    reload();
    manager_.ready();
  } else if (server_.draining()) {
    spdlog::warn("a second signal: stopping at once");
    return server_.stop();
  } else {
    spdlog::info("{}: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
    manager_.stopping();
    server_.drain();
  }
  wait();
}

void Signals::reload() {
  const ConfigOutcome fresh = read_again_();
  if (!fresh.config) {
    return spdlog::error("SIGHUP: {}; the configuration stays as it was", fresh.text);
  }
  const spdlog::level::level_enum level_before = config_.log_level;
  const ConfigChange change = take_over(*fresh.config, &config_);
  server_.change_options(within_descriptor_limit(config_.net));
  auth_.change(config_.tokens, config_.net.tls != nullptr);
  // A level that a request has set stays, unless the configured level has changed. The lines
  // about the change are logged if either the old or the new level allows it.
  spdlog::logger& logger = *spdlog::default_logger();
  const auto level = config_.log_level != level_before ? config_.log_level : logger.level();
  logger.set_level(std::min(level, logger.level()));
  for (const std::string& warning : config_.warnings) spdlog::warn("{}", warning);
  spdlog::info("SIGHUP: tokens and certificate were read again; settings that changed: {}",
               joined(change.taken_over));
  if (!change.need_restart.empty()) {
    spdlog::warn("SIGHUP: a change of {} requires a restart", joined(change.need_restart));
  }
  logger.set_level(level);
}

}  // namespace featherid
