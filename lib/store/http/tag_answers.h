// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_TAG_ANSWERS_H_
#define FEATHERID_LIB_STORE_HTTP_TAG_ANSWERS_H_

#include <nlohmann/json.hpp>
#include <string>

#include "featherid/tag_admin.h"
#include "lib/store/http/api_client.h"

namespace featherid {

// What servers answer about tags, and what they are asked. Reading throws as Json does if a member
// is missing or of another type. What an older server does not know is as it is by default.

TagInfo tag_info_of(const nlohmann::json& tag);      // GET /api/v1/tag
SegmentRow row_of(const nlohmann::json& row);        // GET /api/v1/lease/tag
StoreIdentity store_of(const nlohmann::json& data);  // every call of /api/v1/lease

// The parameters of POST and PATCH /api/v1/tag.
ApiClient::Parameters parameters_of(std::string_view tag, const NewTag& made);
ApiClient::Parameters parameters_of(std::string_view tag, const TagChange& change);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_TAG_ANSWERS_H_
