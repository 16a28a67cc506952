// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_TAG_OUTPUT_H_
#define FEATHERID_CLI_TAG_OUTPUT_H_

#include <cstdint>
#include <string>

#include "cli/output.h"
#include "featherid/tag_admin.h"

namespace featherid {

Record summary_of(const TagInfo& row);  // a row of the list of tags
Record record_of(const TagInfo& row);   // everything about a tag

// Between which two times an id was leased.
Record lease_time_record(const std::string& tag, std::int64_t id, const LeaseTime& time);

}  // namespace featherid

#endif  // FEATHERID_CLI_TAG_OUTPUT_H_
