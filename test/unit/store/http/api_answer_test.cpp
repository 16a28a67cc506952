// SPDX-License-Identifier: MIT
#include "lib/store/http/api_answer.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

Result<ApiClient::Answer> read(int status, const std::string& body) {
  return read_answer({status, body, ""}, "http://a:80", {"--server", "--server-ca", "--token"});
}

Status error(int status, std::int64_t code) {
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

TEST_CASE("an error is one whatever its status, and success has status 200", "[api_answer]") {
  // A gateway that answers everything with 200.
  CHECK(read(200, R"({"code":8,"msg":"words","data":{"first":1}})").status().code() ==
        StatusCode::kDataLoss);
  CHECK(error(409, 8 - (std::int64_t{1} << 32)).code() == StatusCode::kFailedPrecondition);
  for (const int status : {201, 203, 206, 226}) {
    const Status other = error(status, 0);
    CHECK(other.code() == StatusCode::kFailedPrecondition);
    CHECK(other.message().find("status " + std::to_string(status)) != std::string::npos);
  }
}

TEST_CASE("what a server says is one line of bounded length", "[api_answer]") {
  const auto message = [](const std::string& msg) {
    return read(409, R"({"code":6,"data":null,"msg":")" + msg + "\"}").status().message();
  };
  CHECK(message("tag '号'") == "tag '号'");
  CHECK(message("a\\nb\\u001b[31m\\u202ec\\u0000") == "a b [31m c ");
  CHECK(message(std::string(100000, 'm')) == std::string(1000, 'm'));
}

TEST_CASE("an answer that is nested deeply costs no more than its size", "[api_answer]") {
  const auto nested = [](int depth) {
    return R"({"code":0,"data":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  CHECK(read(200, nested(15)).ok());
  for (const int depth : {17, 1000000}) {
    CHECK(read(200, nested(depth)).status().code() == StatusCode::kFailedPrecondition);
  }
}

TEST_CASE("a number is whole, and may be text", "[api_answer]") {
  const auto number = [](const std::string& value) -> std::string {
    try {
      return std::to_string(integer_at(nlohmann::json::parse("{\"n\":" + value + "}"), "n"));
    } catch (const nlohmann::json::exception&) {
      return "none";
    }
  };
  for (const char* exact : {"9223372036854775807", "-9223372036854775808", "0"}) {
    CHECK(number(exact) == exact);
    CHECK(number(std::string("\"") + exact + "\"") == exact);
  }
  for (const char* bad :
       {"9223372036854775808", "18446744073709551615", "1.0", "1e3", "true", "null", "[1]", "{}",
        "\"\"", "\"1.0\"", "\" 1\"", "\"+1\"", "\"0x1\"", "\"9223372036854775808\""}) {
    CAPTURE(bad);
    CHECK(number(bad) == "none");
  }
  CHECK_THROWS_AS(integer_at(nlohmann::json::object(), "n"), nlohmann::json::exception);
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
