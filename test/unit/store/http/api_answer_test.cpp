// SPDX-License-Identifier: MIT
#include "lib/store/http/api_answer.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

Result<ApiClient::Answer> read(int status, const std::string& body) {
  return read_answer({status, body, ""}, "http://a:80", {"--server", "--server-ca", "--token"});
}

Status error(int status, int code) {
  return read(status, R"({"code":)" + std::to_string(code) + R"(,"msg":"words","data":null})")
      .status();
}

}  // namespace

TEST_CASE("a good answer has data", "[api_answer]") {
  const auto answer = read(200, R"({"code":0,"msg":"success","data":[1,2]})");
  CHECK(answer->data == nlohmann::json({1, 2}));
  CHECK(answer->period.empty());
  CHECK(read(200, R"({"code":0,"data":[1],"period":"2026-11"})")->period == "2026-11");
}

TEST_CASE("each code of the API is an error of a store", "[api_answer]") {
  CHECK(error(400, 1).code() == StatusCode::kInvalidArgument);
  CHECK(error(415, 1).code() == StatusCode::kInvalidArgument);
  CHECK(error(503, 2).code() == StatusCode::kUnavailable);
  CHECK(error(500, 2).code() == StatusCode::kUnavailable);
  CHECK(error(504, 2).code() == StatusCode::kDeadlineExceeded);
  CHECK(error(400, 3).code() == StatusCode::kInvalidArgument);
  CHECK(error(404, 4).code() == StatusCode::kNotFound);
  CHECK(error(401, 5).code() == StatusCode::kFailedPrecondition);
  CHECK(error(403, 5).code() == StatusCode::kFailedPrecondition);
  CHECK(error(409, 6).code() == StatusCode::kExhausted);
  CHECK(error(409, 7).code() == StatusCode::kAlreadyExists);
  CHECK(error(409, 8).code() == StatusCode::kDataLoss);
  CHECK(error(503, 9).code() == StatusCode::kFailedPrecondition);
  CHECK(error(409, 8).message() == "words");
  CHECK(error(401, 5).message() == "words; give the token with --token");
}

TEST_CASE("a server that lacks the call is of another version", "[api_answer]") {
  const Status old = error(404, 1);
  CHECK(old.code() == StatusCode::kFailedPrecondition);
  CHECK(old.message().find("http://a:80 does not have this call") == 0);
}

TEST_CASE("something else that answers is not taken for a server", "[api_answer]") {
  for (const char* body : {"", "<html>", "[]", "7", R"({"code":0})", R"({"data":7})",
                           R"({"code":"0","data":7})", R"({"code":0,"data":7)"}) {
    CAPTURE(body);
    for (const int status : {200, 301, 404}) {
      CHECK(read(status, body).status().code() == StatusCode::kFailedPrecondition);
    }
    const Status gateway = read(502, body).status();
    CHECK(gateway.code() == StatusCode::kUnavailable);
    CHECK(gateway.message().find("status 502") != std::string::npos);
    CHECK(gateway.message().find("--server") != std::string::npos);
  }
}

TEST_CASE("data of another form is an error", "[api_answer]") {
  const auto number = [](const nlohmann::json& data) { return data.at("n").get<int>(); };
  CHECK(*read_data({{"n", 7}}, "http://a:80", number) == 7);
  for (const char* data : {"7", "{}", R"({"n":"7"})", "null"}) {
    const Status wrong = read_data(nlohmann::json::parse(data), "http://a:80", number).status();
    CHECK(wrong.code() == StatusCode::kFailedPrecondition);
    CHECK(wrong.message().find("http://a:80") != std::string::npos);
  }
}

}  // namespace featherid
