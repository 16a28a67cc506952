// SPDX-License-Identifier: MIT
#include "lib/store/http/api_answer.h"

namespace featherid {

namespace {

// The `code` of an error: server/http/reply.h. It says more than the HTTP status.
StatusCode status_code(int http_status, int code) {
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

}  // namespace

std::string text_at(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<ApiClient::Answer> read_answer(const HttpAnswer& answer, const std::string& url,
                                      const ApiClient::Words& words) {
  nlohmann::json body = nlohmann::json::parse(answer.body, nullptr, false);
  const bool is_ours = body.is_object() && body.contains("data") && body.contains("code") &&
                       body["code"].is_number_integer();
  if (!is_ours) {
    return Status(answer.status >= 500 ? StatusCode::kUnavailable : StatusCode::kFailedPrecondition,
                  url + " answers with status " + std::to_string(answer.status) +
                      ", and not as featherid-server does; check " + words.address +
                      ", and any proxy in between");
  }
  if (answer.status == 200) {
    return ApiClient::Answer{std::move(body["data"]), text_at(body, "period"), answer.date};
  }
  std::string message = text_at(body, "msg");
  const int code = body["code"].get<int>();
  if (answer.status == 404 && code == 1) {
    message = url + " does not have this call; use a featherid-server of this version";
  }
  if (answer.status == 401) message += "; give the token with " + words.token;
  return Status(status_code(answer.status, code), message);
}

}  // namespace featherid
