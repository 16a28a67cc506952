// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_ADVANCE_H_
#define FEATHERID_SERVER_API_ADVANCE_H_

#include <cstdint>
#include <string>

#include "featherid/status.h"
#include "featherid/tag_admin.h"

namespace featherid {

// An operator's move of a tag, for example after a restored backup.
struct Advance {
  std::string tag;
  std::int64_t max_id = 0;      // afterwards no lease contains an id up to and including it
  bool allow_backward = false;  // the operator has confirmed that it may move backward
  std::string by = {};          // who does it, for the tag's record
};

// Parses "TAG=ID". kInvalidArgument if it is malformed.
Result<Advance> parse_advance(const std::string& text);

// Raises the tag's max_id to at least advance.max_id. With allow_backward, sets it to exactly that.
// Returns the max_id before. kInvalidArgument: the tag is already past advance.max_id, and moving
// backward is not allowed; the message says that `allowing_word` allows it. kUnavailable also if
// somebody leased in the meantime. Blocks for up to three calls of the store.
Result<std::int64_t> run_advance(Store& store, const Advance& advance, const char* allowing_word);

// Why moving backward requires confirmation.
extern const char* const kBackwardWarning;

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_ADVANCE_H_
