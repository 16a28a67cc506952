// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_LOG_ROUTES_H_
#define FEATHERID_SERVER_API_LOG_ROUTES_H_

#include "server/http/router.h"

namespace featherid {

// GET /api/v1/log/level
void add_log_routes(Router& router);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_LOG_ROUTES_H_
