// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_ROUTES_OPS_H_
#define FEATHERID_SERVER_ROUTES_OPS_H_

#include <functional>

#include "server/http/router.h"
#include "server/metrics.h"
#include "server/readiness.h"

namespace featherid {

// GET /, /healthz, /readyz, /metrics and /openapi.json. `readiness` and `metrics` must outlive the
// router; `draining` is called from any loop.
void add_ops_routes(Router& router, Readiness& readiness, Metrics& metrics,
                    std::function<bool()> draining);

}  // namespace featherid

#endif  // FEATHERID_SERVER_ROUTES_OPS_H_
