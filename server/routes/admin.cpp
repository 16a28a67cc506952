// SPDX-License-Identifier: MIT
#include "server/routes/admin.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>

#include "server/logging.h"

namespace featherid {

namespace {

void serve_log_level(Exchange& exchange, const Auth& auth) {
  if (const std::string* wanted = exchange.query.find("level")) {
    const std::optional<spdlog::level::level_enum> level = parse_log_level(*wanted);
    if (!level) {
      return exchange.reply.fail(400, ApiCode::kBadRequest,
                                 "level must be debug, info, warn or error");
    }
    if (!auth.may_change(exchange)) return;
    spdlog::default_logger()->set_level(*level);
    spdlog::log(*level, "the log level is {} now {}", *wanted, exchange.log_tag());
  }
  exchange.reply.succeed(json_string(log_level_name(spdlog::default_logger()->level())));
}

}  // namespace

void add_admin_routes(Router& router, const Auth& auth) {
  router.get("/api/v1/log/level", Lane::kBridge,
             [&auth](Exchange& exchange) { serve_log_level(exchange, auth); });
}

}  // namespace featherid
