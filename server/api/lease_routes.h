// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_LEASE_ROUTES_H_
#define FEATHERID_SERVER_API_LEASE_ROUTES_H_

#include "server/api/leases.h"
#include "server/http/router.h"
#include "server/ops/store_calls.h"

namespace featherid {

// What HttpStore calls: POST and GET /api/v1/lease, GET /api/v1/lease/tag and
// /api/v1/lease/changes, POST /api/v1/lease/give_back. If too many calls of the store wait, a
// request gets 503. `leases` and `calls` must outlive the router.
void add_lease_routes(Router& router, Leases& leases, StoreCalls& calls);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_LEASE_ROUTES_H_
