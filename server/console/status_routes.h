// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONSOLE_STATUS_ROUTES_H_
#define FEATHERID_SERVER_CONSOLE_STATUS_ROUTES_H_

#include <functional>
#include <string>
#include <vector>

#include "featherid/tag_admin.h"
#include "server/console/tag_watch.h"
#include "server/http/router.h"
#include "server/log/logging.h"
#include "server/ops/readiness.h"

namespace featherid {

// What the status calls report. Everything must outlive the router.
struct StatusSources {
  TagWatch& watch;
  Readiness& readiness;
  const Store& store;
  std::string store_address;  // without passwords
  std::function<bool()> draining;
  std::function<bool(const Exchange&)> may_change;  // the client that asks
  std::function<std::vector<LogLine>()> warnings;
};

// GET /api/v1/status, /api/v1/status/tags and /api/v1/status/tag. They wait for no store.
void add_status_routes(Router& router, StatusSources sources);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONSOLE_STATUS_ROUTES_H_
