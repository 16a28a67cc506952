// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_AUTO_CREATE_H_
#define FEATHERID_SERVER_STORE_AUTO_CREATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/log.h"
#include "featherid/tag_admin.h"
#include "lib/base/clock.h"

namespace featherid {

// Which tags are created when somebody first asks for their ids.
struct AutoCreateRule {
  std::string pattern;  // of the whole tag; * is any text
  std::int64_t step = 1000;
  std::int64_t cap = kIdMax;
};

struct AutoCreateOptions {
  std::vector<AutoCreateRule> rules;  // the first that matches counts; none: nothing is created
  int per_minute_max = 60;            // by this process
  std::int64_t tags_max = 1000;       // with so many rows in the table, none is created
};

// Parses rules, separated by blanks: PATTERN[:STEP[:CAP]]. kInvalidArgument: the message says what
// to write.
Result<std::vector<AutoCreateRule>> parse_auto_create(const std::string& text);

// Whether the whole of `text` matches the pattern.
bool matches(std::string_view pattern, std::string_view text);

// Returns `store`, but a tag that it does not have is created if `options` allow it. Otherwise the
// message of kNotFound says why it is not created. The rules of NewTag::automatic apply. A call may
// take four calls of `store`. Each tag that is created is one line for `log`.
std::shared_ptr<SegmentStore> with_auto_create(
    std::shared_ptr<Store> store, AutoCreateOptions options, LogCallback log,
    std::shared_ptr<const Clock> clock = std::make_shared<SteadyClock>());

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_AUTO_CREATE_H_
