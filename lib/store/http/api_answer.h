// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_API_ANSWER_H_
#define FEATHERID_LIB_STORE_HTTP_API_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "featherid/status.h"
#include "lib/store/http/api_client.h"
#include "lib/store/http_client/http_connection.h"

namespace featherid {

struct ApiClient::Answer {
  Json data;
  std::string period;      // of the ids in it, if their tag has periods
  std::string date;        // the header
  std::size_t server = 0;  // who answered
};

// What an answer of the API means. `url`: of the server. kFailedPrecondition: it is not one of this
// API. The message contains nothing but what the server says.
Result<ApiClient::Answer> read_answer(const HttpAnswer& answer, const std::string& url,
                                      const ApiClient::Words& words);
// The member of that name; empty if there is no such text.
std::string text_at(const nlohmann::json& object, const char* name);

// What reading throws, as Json does, about a member that no server writes.
struct NotOfThisApi : nlohmann::json::exception {
  NotOfThisApi() : exception(0, "no server writes this") {}
};
// The parameter that asks for numbers as text. What rewrites JSON in between may round a number
// above 2^53, and never a text.
inline const std::pair<const char*, std::string> kExact = {"as", "string"};
// The member of that name: a whole number, or one as text. Throws if it is neither.
std::int64_t integer_at(const nlohmann::json& object, const char* name);

inline Status not_of_this_api(const std::string& url) {
  return {StatusCode::kFailedPrecondition,
          "the answer of " + url +
              " is not one of featherid-server, or is one of another version; check the address, "
              "and any proxy in between"};
}

inline Status not_of_this_call(const std::string& url) {
  return {StatusCode::kFailedPrecondition,
          "the answer of " + url +
              " is not that of this call, or of another version; if something in between keeps or "
              "repeats answers, let it pass on every call"};
}

// Reads `data` by read(data), which may throw as Json does.
template <typename Read>
auto read_data(const nlohmann::json& data, const std::string& url, Read read)
    -> Result<decltype(read(data))> {
  try {
    return read(data);
  } catch (const nlohmann::json::exception&) {
    return not_of_this_api(url);
  }
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_API_ANSWER_H_
