// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_TAG_JSON_H_
#define FEATHERID_SERVER_API_TAG_JSON_H_

#include <cstdint>
#include <string>

#include "featherid/tag_admin.h"

namespace featherid {

// A tag as the API shows it. `quoted`: max_id and cap are strings, because JavaScript's numbers are
// exact only up to 2^53.
std::string tag_json(const TagInfo& tag, bool quoted);

// When an id was leased.
std::string lease_time_json(const std::string& tag, std::int64_t id, const LeaseTime& time,
                            bool quoted);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_TAG_JSON_H_
