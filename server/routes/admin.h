// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_ROUTES_ADMIN_H_
#define FEATHERID_SERVER_ROUTES_ADMIN_H_

#include <asio/thread_pool.hpp>
#include <memory>

#include "featherid/tag_admin.h"
#include "server/http/router.h"

namespace featherid {

// GET /api/v1/log/level, and POST and GET /api/v1/tag/advance. The store is called on `pool`. Few
// calls may wait for it; others get 503. `pool` must outlive the router.
void add_admin_routes(Router& router, std::shared_ptr<Store> store, asio::thread_pool& pool);

}  // namespace featherid

#endif  // FEATHERID_SERVER_ROUTES_ADMIN_H_
