// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_refusal.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

HttpAnswer says(int status, int code, const std::string& words) {
  return {status,
          R"({"error":")" + words + R"(","message":")" + words + R"(","code":)" +
              std::to_string(code) + "}",
          ""};
}

}  // namespace

TEST_CASE("an answer of 200 is no refusal", "[etcd_refusal]") {
  CHECK(refusal_of({200, "{}", ""}, "u").status.ok());
  CHECK(cannot_serve({200, "{}", ""}, "u").ok());
}

TEST_CASE("only what proves that nothing was changed may be sent again", "[etcd_refusal]") {
  for (const HttpAnswer& answer : {says(401, 16, "etcdserver: invalid auth token"),
                                   says(400, 3, "etcdserver: revision of auth store is old"),
                                   says(400, 3, "etcdserver: user name is empty")}) {
    INFO(answer.body);
    const EtcdRefusal refusal = refusal_of(answer, "http://a:1");
    CHECK(refusal.needs_login);
    CHECK(refusal.status.code() == StatusCode::kFailedPrecondition);
    CHECK(refusal.status.message().find("http://a:1 answers: etcdserver: ") == 0);
  }
  for (const HttpAnswer& answer :
       {says(503, 14, "etcdserver: request timed out"),
        says(503, 14, "etcdserver: request timed out, possibly due to previous leader failure"),
        says(503, 14, "etcdserver: no leader"), says(504, 4, "context deadline exceeded"),
        says(500, 2, "etcdserver: unknown"), says(429, 8, "etcdserver: too many requests"),
        says(429, 8, "etcdserver: mvcc: database space exceeded"), HttpAnswer{502, "<html>", ""}}) {
    INFO(answer.body);
    CHECK_FALSE(refusal_of(answer, "u").needs_login);
    CHECK(refusal_of(answer, "u").status.code() == StatusCode::kUnavailable);
    CHECK(cannot_serve(answer, "u").code() == StatusCode::kUnavailable);
  }
}

TEST_CASE("what an operator must fix is said", "[etcd_refusal]") {
  for (const auto& [answer, advice] :
       {std::pair<HttpAnswer, const char*>(says(403, 7, "etcdserver: permission denied"),
                                           "etcdctl role grant-permission"),
        {says(400, 3, "etcdserver: authentication failed, invalid user ID or password"),
         "check user and password"},
        {says(400, 3, "etcdserver: user name is empty"), "USER:PASSWORD@"},
        {HttpAnswer{404, "Not Found\n", ""}, "--enable-grpc-gateway"},
        {says(501, 12, "unknown service"), "--enable-grpc-gateway"},
        {HttpAnswer{301, "", ""}, "--enable-grpc-gateway"}}) {
    const EtcdRefusal refusal = refusal_of(answer, "u");
    INFO(refusal.status);
    CHECK(refusal.status.code() == StatusCode::kFailedPrecondition);
    CHECK(refusal.status.message().find(advice) != std::string::npos);
    CHECK(cannot_serve(answer, "u").ok());
  }
  CHECK(refusal_of(says(429, 8, "etcdserver: mvcc: database space exceeded"), "u")
            .status.message()
            .find("etcdctl alarm disarm") != std::string::npos);
}

TEST_CASE("members that differ are kDataLoss", "[etcd_refusal]") {
  const HttpAnswer corrupt = says(500, 15, "etcdserver: corrupt cluster");
  for (const Status& status : {refusal_of(corrupt, "u").status, cannot_serve(corrupt, "u")}) {
    INFO(status);
    CHECK(status.code() == StatusCode::kDataLoss);
    CHECK(status.message().find("featherid advance TAG ID") != std::string::npos);
  }
  CHECK_FALSE(proves_undone(corrupt));
}

TEST_CASE("a learner, and a member with too much to do, have done nothing", "[etcd_refusal]") {
  CHECK(proves_undone(says(503, 14, "etcdserver: rpc not supported for learner")));
  CHECK(proves_undone(says(429, 8, "etcdserver: too many requests")));
  CHECK_FALSE(proves_undone(says(503, 14, "etcdserver: request timed out")));
  CHECK_FALSE(proves_undone(says(200, 0, "etcdserver: too many requests")));
  CHECK_FALSE(proves_undone({502, "<html>", ""}));
}

}  // namespace featherid
