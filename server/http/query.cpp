// SPDX-License-Identifier: MIT
#include "server/http/query.h"

#include <algorithm>
#include <optional>

#include "lib/base/percent.h"

namespace featherid {

namespace {

constexpr std::size_t kParamsMax = 32;

// The text of a query without its escapes; nothing if one is malformed.
std::optional<std::string> decode(std::string_view text) {
  const bool escaped =
      std::any_of(text.begin(), text.end(), [](char c) { return c == '%' || c == '+'; });
  std::string copy(text);
  if (!escaped) return copy;  // usual, and several times as fast
  std::replace(copy.begin(), copy.end(), '+', ' ');
  return percent_decode(copy);
}

}  // namespace

Result<Query> Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view param = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (param.empty()) continue;
    const std::size_t equals = std::min(param.find('='), param.size());
    std::optional<std::string> name = decode(param.substr(0, equals));
    std::optional<std::string> value = decode(param.substr(std::min(equals + 1, param.size())));
    if (!name || !value) {
      return Status(StatusCode::kInvalidArgument, "the query contains a bad percent-escape");
    }
    if (query.find(*name) != nullptr) {
      return Status(StatusCode::kInvalidArgument, "parameter '" + *name + "' is given twice");
    }
    if (query.params_.size() == kParamsMax) {
      return Status(StatusCode::kInvalidArgument, "the query contains too many parameters");
    }
    query.params_.emplace_back(std::move(*name), std::move(*value));
  }
  return query;
}

const std::string* Query::find(std::string_view name) const {
  for (const auto& [key, value] : params_) {
    if (key == name) return &value;
  }
  return nullptr;
}

const std::string* Query::find_other_than(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : params_) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return &key;
  }
  return nullptr;
}

}  // namespace featherid
