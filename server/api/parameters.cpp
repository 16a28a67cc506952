// SPDX-License-Identifier: MIT
#include "server/api/parameters.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "featherid/segment_store.h"

namespace featherid {

Status invalid_parameter(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

std::optional<std::string> Parameters::text(const char* name) const {
  const std::string* const found = query_.find(name);
  return found != nullptr ? std::optional<std::string>(*found) : std::nullopt;
}

std::string Parameters::tag() {
  std::string tag = text("biz_tag").value_or("");
  keep(tag.empty() ? invalid_parameter("biz_tag is missing; add ?biz_tag=order")
                   : validate_tag(tag));
  return tag;
}

std::optional<std::int64_t> Parameters::number(const char* name, std::int64_t min,
                                               std::int64_t max) {
  const std::optional<std::string> given = text(name);
  if (!given) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = given->data() + given->size();
  const auto [stop, error] = std::from_chars(given->data(), end, number);
  if (error == std::errc() && stop == end && number >= min && number <= max) return number;
  keep(invalid_parameter(std::string(name) + " must be a number from " + std::to_string(min) +
                         " to " + std::to_string(max)));
  return std::nullopt;
}

std::int64_t Parameters::required_number(const char* name, std::int64_t min, std::int64_t max) {
  if (!text(name)) {
    keep(invalid_parameter(std::string(name) + " is missing; add &" + name + "=5000"));
  }
  return number(name, min, max).value_or(0);
}

bool Parameters::is_second(const char* name, const char* first, const char* second) {
  const std::string given = text(name).value_or(first);
  if (given != first && given != second) {
    keep(invalid_parameter(std::string(name) + " must be " + first + " or " + second));
  }
  return given == second;
}

void Parameters::keep(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

}  // namespace featherid
