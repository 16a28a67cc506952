// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_TAG_ROUTES_H_
#define FEATHERID_SERVER_API_TAG_ROUTES_H_

#include <memory>

#include "featherid/segment_allocator.h"
#include "featherid/tag_admin.h"
#include "server/http/router.h"
#include "server/ops/store_calls.h"

namespace featherid {

// Administration of tags: GET /api/v1/tags; GET, POST, PATCH and DELETE /api/v1/tag; POST and GET
// /api/v1/tag/advance; POST /api/v1/tag/rewind. If too many calls of the store wait, a request gets
// 503. Each change is one line of the log. `allocator` drops what it holds of a tag that moves
// back. It and `calls` must outlive the router.
void add_tag_routes(Router& router, const std::shared_ptr<Store>& store,
                    SegmentAllocator& allocator, StoreCalls& calls);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_TAG_ROUTES_H_
