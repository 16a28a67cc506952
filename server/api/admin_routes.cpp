// SPDX-License-Identifier: MIT
#include "server/api/admin_routes.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/api/advance.h"
#include "server/log/json.h"
#include "server/log/logging.h"

namespace featherid {

namespace {

constexpr const char* kAdvance = "/api/v1/tag/advance";
// POST replaced GET on 2026-11-29; GET stays until 0.3. In the form of RFC 9745.
constexpr const char* kGetDeprecated = "@1795910400";

void serve_log_level(Exchange& exchange) {
  if (const std::string* wanted = exchange.query.find("level")) {
    const std::optional<spdlog::level::level_enum> level = parse_log_level(*wanted);
    if (!level) {
      return exchange.reply.fail(400, ApiCode::kBadRequest,
                                 "level must be debug, info, warn or error");
    }
    spdlog::default_logger()->set_level(*level);
    spdlog::log(*level, "the log level is now {} {}", *wanted, exchange.log_tag());
  }
  exchange.reply.succeed(json_string(log_level_name(spdlog::default_logger()->level())));
}

// Nothing: a parameter is wrong, and the reply says why.
std::optional<Advance> read_advance(Exchange& exchange) {
  const auto text = [&](const char* name, const char* missing) {
    const std::string* const found = exchange.query.find(name);
    return found != nullptr ? *found : std::string(missing);
  };
  const std::string tag = text("biz_tag", "");
  const std::string allow = text("allow_backward", "no");
  const Result<std::int64_t> max_id = parse_max_id(text("max_id", ""));
  Status bad;
  for (const char* const name : {"biz_tag", "max_id"}) {
    if (bad.ok() && text(name, "").empty()) {
      bad = {StatusCode::kInvalidArgument,
             std::string(name) + " is missing; add ?biz_tag=order&max_id=5000"};
    }
  }
  if (bad.ok()) bad = validate_tag(tag);
  if (bad.ok()) bad = max_id.status();
  if (bad.ok() && allow != "yes" && allow != "no") {
    bad = {StatusCode::kInvalidArgument, "allow_backward must be yes or no"};
  }
  if (bad.ok()) return Advance{tag, *max_id, allow == "yes"};
  exchange.reply.fail(400, ApiCode::kBadRequest, bad.message());
  return std::nullopt;
}

Status advance_and_log(Store& store, const Advance& advance, const std::string& log_tag) {
  const Result<std::int64_t> before = run_advance(store, advance, "allow_backward=yes");
  if (!before.ok()) return before.status();
  spdlog::warn("tag '{}' was moved from {} to {} {}", advance.tag, *before, advance.max_id,
               log_tag);
  if (*before > advance.max_id) spdlog::warn("moved backward: {}", kBackwardWarning);
  return {};
}

void serve_advance(Exchange& exchange, const std::shared_ptr<Store>& store, StoreCalls& calls) {
  const std::optional<Advance> advance = read_advance(exchange);
  if (!advance) return;
  Reply& reply = exchange.reply;
  if (exchange.wait.expired) {
    return reply.fail_for_now("the store has not answered in time; the tag may still be moved");
  }
  if (!exchange.wait.over) {
    return exchange.park([=, &calls, log_tag = exchange.log_tag()](const Exchange::Resume& resume) {
      const bool posted = calls.post(StoreCalls::Lane::kAdmin,
                                     [=] { resume(advance_and_log(*store, *advance, log_tag)); });
      if (!posted) resume({StatusCode::kUnavailable, "too many tags are being moved; try again"});
    });
  }
  const Status& done = exchange.wait.outcome;
  switch (done.code()) {
    case StatusCode::kOk:
      return reply.succeed(std::to_string(advance->max_id));
    case StatusCode::kInvalidArgument:
      return reply.fail(400, ApiCode::kBadRequest, done.message());
    case StatusCode::kNotFound:
      return reply.fail(404, ApiCode::kNoSuchTag, done.message());
    default:
      return reply.fail_for_now(done.message());
  }
}

}  // namespace

void add_admin_routes(Router& router, std::shared_ptr<Store> store, StoreCalls& calls) {
  const auto advance = [store = std::move(store), &calls](Exchange& exchange) {
    serve_advance(exchange, store, calls);
  };
  router.post(kAdvance, Effect::kChanges, advance);
  router.get(kAdvance, Effect::kChanges, [advance](Exchange& exchange) {
    advance(exchange);
    exchange.reply.headers.emplace_back("Deprecation", kGetDeprecated);
  });
  router.get("/api/v1/log/level", Effect::kChanges, serve_log_level, "level");
}

}  // namespace featherid
