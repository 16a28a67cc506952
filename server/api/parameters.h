// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_PARAMETERS_H_
#define FEATHERID_SERVER_API_PARAMETERS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "featherid/status.h"
#include "server/http/query.h"

namespace featherid {

Status invalid_parameter(std::string message);

// Reads the parameters of a request, and keeps what is wrong with the first wrong one.
class Parameters {
 public:
  explicit Parameters(const Query& query) : query_(query) {}

  const Status& status() const { return status_; }

  std::optional<std::string> text(const char* name) const;
  // `biz_tag`, which must be given and a valid tag.
  std::string tag();
  std::optional<std::int64_t> number(const char* name, std::int64_t min, std::int64_t max);
  std::int64_t required_number(const char* name, std::int64_t min, std::int64_t max);
  // One of two words; the first one if it is not given.
  bool is_second(const char* name, const char* first, const char* second);
  bool quoted() { return is_second("as", "number", "string"); }

  void keep(Status status);

 private:
  const Query& query_;
  Status status_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_PARAMETERS_H_
