// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_PERIOD_H_
#define FEATHERID_SERVER_STORE_PERIOD_H_

#include <string_view>

#include "featherid/period.h"
#include "featherid/status.h"
#include "lib/store/period_rules.h"

namespace featherid {

// The reverse of period_word(): none, day, month or year. kInvalidArgument: it is no such word.
inline Result<PeriodKind> parse_period_kind(std::string_view word) {
  for (const PeriodKind kind :
       {PeriodKind::kNone, PeriodKind::kDay, PeriodKind::kMonth, PeriodKind::kYear}) {
    if (word == period_word(kind)) return kind;
  }
  return Status(StatusCode::kInvalidArgument, "the period must be none, day, month or year");
}

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_PERIOD_H_
