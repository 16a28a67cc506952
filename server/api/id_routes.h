// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_ID_ROUTES_H_
#define FEATHERID_SERVER_API_ID_ROUTES_H_

#include <cstdint>

#include "featherid/segment_allocator.h"
#include "server/http/router.h"

namespace featherid {

// GET /api/v1/id, /api/v1/id/batch and /api/v1/id/range. The allocator must outlive the router.
void add_id_routes(Router& router, SegmentAllocator& allocator, std::int64_t batch_ids_max);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_ID_ROUTES_H_
