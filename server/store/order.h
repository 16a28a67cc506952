// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_ORDER_H_
#define FEATHERID_SERVER_STORE_ORDER_H_

#include <string_view>

#include "featherid/segment_store.h"
#include "featherid/status.h"

namespace featherid {

// The order of a tag as a word: `plain` or `strict`.
inline const char* order_word(TagOrder order) {
  return order == TagOrder::kStrict ? "strict" : "plain";
}

// kInvalidArgument: it is no such word.
inline Result<TagOrder> parse_order(std::string_view word) {
  if (word == "plain") return TagOrder::kPlain;
  if (word == "strict") return TagOrder::kStrict;
  return Status(StatusCode::kInvalidArgument, "the order must be plain or strict");
}

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_ORDER_H_
