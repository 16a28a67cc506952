// SPDX-License-Identifier: MIT
#include "server/net/access_log.h"

#include <spdlog/spdlog.h>

#include "server/log/json.h"
#include "server/log/logging.h"
#include "server/net/request_trace.h"

namespace featherid {

namespace {

spdlog::level::level_enum level_of(bool changes) {
  return changes ? spdlog::level::info : spdlog::level::debug;
}

}  // namespace

bool logs_access(bool changes) { return spdlog::should_log(level_of(changes)); }

void log_access(const AccessLine& line) {
  const auto level = level_of(line.changes);
  const double seconds = std::chrono::duration<double>(line.took).count();
  if (!logs_json()) {
    return spdlog::log(level, "{} {} bytes={} seconds={:.6f} peer={} {}", line.what, line.result,
                       line.bytes, seconds, line.peer,
                       log_tag(line.request_number, line.traceparent));
  }
  std::string members =
      fmt::format(R"("message":{},{},"bytes":{},"seconds":{:.6f},"peer":{},"request":"{}")",
                  json_string(line.what), line.members, line.bytes, seconds, json_string(line.peer),
                  request_id(line.request_number));
  if (const std::string_view trace_id = trace_id_of(line.traceparent); !trace_id.empty()) {
    members += fmt::format(R"(,"trace":"{}")", trace_id);
  }
  log_json(level, members);
}

}  // namespace featherid
