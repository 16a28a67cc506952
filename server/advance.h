// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_ADVANCE_H_
#define FEATHERID_SERVER_ADVANCE_H_

#include <cstdint>
#include <string>

#include "featherid/status.h"
#include "featherid/tag_admin.h"

namespace featherid {

// An operator's move of a series, as after a restored backup.
struct Advance {
  std::string tag;
  std::int64_t max_id = 0;      // no lease from then on holds an id up to and including it
  bool allow_backward = false;  // the second, explicit word
};

// "TAG=ID". kInvalidArgument.
Result<Advance> parse_advance(const std::string& text);

// The number of an id that may be taken, 0 to kIdMax. kInvalidArgument.
Result<std::int64_t> parse_max_id(const std::string& text);

// Makes the tag's max_id at least advance.max_id or, with allow_backward, exactly it. Returns what
// it was before. kInvalidArgument: it is further already, and moving backward was not allowed; the
// message says that `allowing_word` would allow it. kUnavailable also when somebody leased
// meanwhile. Blocks for up to three calls of the store.
Result<std::int64_t> run_advance(Store& store, const Advance& advance, const char* allowing_word);

// Why moving backward needs a second word.
extern const char* const kBackwardWarning;

}  // namespace featherid

#endif  // FEATHERID_SERVER_ADVANCE_H_
