// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_OPS_ROUTES_H_
#define FEATHERID_SERVER_OPS_OPS_ROUTES_H_

#include <functional>

#include "server/http/router.h"
#include "server/ops/metrics.h"
#include "server/ops/readiness.h"

namespace featherid {

// GET /, /healthz, /readyz and /metrics. What is passed by reference must outlive the router;
// `draining` is called from any loop.
void add_ops_routes(Router& router, Readiness& readiness, Metrics& metrics, StoreCalls& calls,
                    std::function<bool()> draining);

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_OPS_ROUTES_H_
