// SPDX-License-Identifier: MIT
#include "server/http/access_log.h"

#include <spdlog/spdlog.h>

#include "server/http/reply.h"
#include "server/http/request_trace.h"
#include "server/logging.h"

namespace featherid {

bool logs_access() { return spdlog::should_log(spdlog::level::debug); }

void log_access(const AccessLine& line) {
  const bool is_request = line.no_request.empty();
  const std::string what =
      is_request ? std::string(line.method) + ' ' + logged_target(line.path, line.query)
                 : "no request: " + std::string(line.no_request);
  const double seconds = std::chrono::duration<double>(line.took).count();
  if (!logs_json()) {
    return spdlog::debug("{} status={} bytes={} seconds={:.6f} peer={} {}", what, line.status,
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
  log_json(spdlog::level::debug, members);
}

}  // namespace featherid
