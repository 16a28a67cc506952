// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_ADMIN_ROUTES_H_
#define FEATHERID_SERVER_API_ADMIN_ROUTES_H_

#include <memory>

#include "featherid/tag_admin.h"
#include "server/http/router.h"
#include "server/ops/store_calls.h"

namespace featherid {

// GET /api/v1/log/level, and POST and GET /api/v1/tag/advance. If
// too many calls of the store wait, a request gets 503. `calls` must outlive the router.
void add_admin_routes(Router& router, std::shared_ptr<Store> store, StoreCalls& calls);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_ADMIN_ROUTES_H_
