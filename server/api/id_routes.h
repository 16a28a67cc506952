// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_ID_ROUTES_H_
#define FEATHERID_SERVER_API_ID_ROUTES_H_

#include <cstdint>

#include "featherid/segment_allocator.h"
#include "server/api/tag_texts.h"
#include "server/http/router.h"

namespace featherid {

// Where the ids come from, and how they are written as text. Both must outlive the router.
struct IdSources {
  SegmentAllocator& allocator;
  TagTexts& texts;
};

// GET /api/v1/id, /api/v1/id/batch, /api/v1/id/range and /api/v1/id/parse.
void add_id_routes(Router& router, const IdSources& sources, std::int64_t batch_ids_max);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_ID_ROUTES_H_
