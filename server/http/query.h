// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_QUERY_H_
#define FEATHERID_SERVER_HTTP_QUERY_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "featherid/status.h"

namespace featherid {

// The parameters of a request's query, decoded.
class Query {
 public:
  // kInvalidArgument: a bad percent-escape, a parameter given twice, or too many of them.
  static Result<Query> parse(std::string_view text);

  // The value, or null if the parameter is not given.
  const std::string* find(std::string_view name) const;

  // The name of a parameter that is not in `known`, or null.
  const std::string* find_other_than(const std::vector<std::string>& known) const;

 private:
  std::vector<std::pair<std::string, std::string>> params_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_QUERY_H_
