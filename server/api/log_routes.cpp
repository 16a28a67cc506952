// SPDX-License-Identifier: MIT
#include "server/api/log_routes.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>

#include "server/log/json.h"
#include "server/log/logging.h"

namespace featherid {

namespace {

void serve_log_level(Exchange& exchange) {
  if (const std::string* wanted = exchange.query.find("level")) {
    const std::optional<spdlog::level::level_enum> level = parse_log_level(*wanted);
    if (!level) {
      return exchange.reply.fail(400, ApiCode::kBadRequest,
                                 "level must be debug, info, warn or error");
    }
    const std::string before(log_level_name(spdlog::default_logger()->level()));
    spdlog::default_logger()->set_level(*level);
    spdlog::log(*level, "{} set the log level, which was {}: it is now {} {}",
                json_string(exchange.who), before, *wanted, exchange.log_tag());
  }
  exchange.reply.succeed(json_string(log_level_name(spdlog::default_logger()->level())));
}

}  // namespace

void add_log_routes(Router& router) {
  router.add("/api/v1/log/level", {"GET", Effect::kChanges, serve_log_level, "level", {}});
}

}  // namespace featherid
