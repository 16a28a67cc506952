// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_ROUTES_ADMIN_H_
#define FEATHERID_SERVER_ROUTES_ADMIN_H_

#include "server/auth.h"
#include "server/http/router.h"

namespace featherid {

// GET /api/v1/log/level. `auth` must outlive the router.
void add_admin_routes(Router& router, const Auth& auth);

}  // namespace featherid

#endif  // FEATHERID_SERVER_ROUTES_ADMIN_H_
