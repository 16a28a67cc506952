// SPDX-License-Identifier: MIT
#include "lib/store/http/api_answer.h"

#include <charconv>
#include <limits>
#include <system_error>

#include "lib/base/utf8.h"

namespace featherid {

namespace {

// The `code` of an error: server/http/reply.h. It says more than the HTTP status.
StatusCode status_code(int http_status, std::int64_t code) {
  switch (code) {
    case 4:
      return StatusCode::kNotFound;
    case 6:
      return StatusCode::kExhausted;
    case 7:
      return StatusCode::kAlreadyExists;
    case 8:
      return StatusCode::kDataLoss;
    case 9:
      return StatusCode::kFailedPrecondition;
    default:
      break;
  }
  if (http_status == 400 || http_status == 415) return StatusCode::kInvalidArgument;
  if (http_status == 504) return StatusCode::kDeadlineExceeded;
  return http_status >= 500 ? StatusCode::kUnavailable : StatusCode::kFailedPrecondition;
}

// Discarded if it is no JSON, or nested deeper than any answer. The parser would need many times
// the size of such a text.
nlohmann::json parse(const std::string& text) {
  struct TooDeep {};
  constexpr int kDepthMax = 16;
  const auto is_flat = [](int depth, auto, const auto&) {
    return depth <= kDepthMax ? true : throw TooDeep();
  };
  try {
    return nlohmann::json::parse(text, is_flat, false);
  } catch (const TooDeep&) {
    return nlohmann::json::value_t::discarded;
  }
}

}  // namespace

std::string text_at(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t integer_at(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = object.at(name);
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const char* const end = text.data() + text.size();
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && stop == end) return number;
  } else if (value.is_number_integer()) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() <= kMax) {
      return value.get<std::int64_t>();
    }
  }
  throw NotOfThisApi();
}

Result<ApiClient::Answer> read_answer(const HttpAnswer& answer, const std::string& url,
                                      const ApiClient::Words& words) {
  nlohmann::json body = parse(answer.body);
  const bool has_code = body.is_object() && body.contains("data") && body.contains("code") &&
                        body["code"].is_number_integer();
  const std::int64_t code = has_code ? body["code"].get<std::int64_t>() : -1;
  // The status of an error may have been changed on the way, its code says what it is.
  const bool is_good = answer.status == 200 && code == 0;
  if (!has_code || (code == 0 && !is_good)) {
    return Status(answer.status >= 500 ? StatusCode::kUnavailable : StatusCode::kFailedPrecondition,
                  url + " answers with status " + std::to_string(answer.status) +
                      ", and not as featherid-server does; check " + words.address +
                      ", and any proxy in between");
  }
  if (is_good) {
    return ApiClient::Answer{std::move(body["data"]), text_at(body, "period"), answer.date};
  }
  constexpr std::size_t kMessageBytesMax = 1000;
  std::string message = printable(text_at(body, "msg"), ' ', kMessageBytesMax);  // for a log
  if (answer.status == 404 && code == 1) {
    message = url + " does not have this call; use a featherid-server of this version";
  }
  if (answer.status == 401) message += "; give the token with " + words.token;
  return Status(status_code(answer.status, code), message);
}

}  // namespace featherid
