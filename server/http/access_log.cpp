// SPDX-License-Identifier: MIT
#include "server/http/access_log.h"

#include <spdlog/spdlog.h>

#include "server/http/reply.h"
#include "server/http/request_trace.h"
#include "server/log/json.h"
#include "server/log/logging.h"

namespace featherid {

namespace {

spdlog::level::level_enum level_of(bool changes) {
  return changes ? spdlog::level::info : spdlog::level::debug;
}

}  // namespace

bool logs_access(bool changes) { return spdlog::should_log(level_of(changes)); }

void log_access(const AccessLine& line) {
  const bool is_request = line.no_request.empty();
  const std::string what =
      is_request ? std::string(line.method) + ' ' + logged_target(line.path, line.query)
                 : "no request: " + std::string(line.no_request);
  const auto level = level_of(line.changes);
  const double seconds = std::chrono::duration<double>(line.took).count();
  if (!logs_json()) {
    return spdlog::log(level, "{} status={} bytes={} seconds={:.6f} peer={} {}", what, line.status,
                       line.bytes, seconds, line.peer,
                       log_tag(line.request_number, line.traceparent));
  }
  std::string members = fmt::format(
      R"("message":{},"status":{},"bytes":{},"seconds":{:.6f},"peer":{},"request":"{}")",
      json_string(what), line.status, line.bytes, seconds, json_string(line.peer),
      request_id(line.request_number));
  if (is_request) {
    members += fmt::format(R"(,"method":"{}","path":{})", line.method, json_string(line.path));
  }
  if (const std::string_view trace_id = trace_id_of(line.traceparent); !trace_id.empty()) {
    members += fmt::format(R"(,"trace":"{}")", trace_id);
  }
  log_json(level, members);
}

}  // namespace featherid
