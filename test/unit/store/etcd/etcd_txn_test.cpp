// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_txn.h"

#include <string>

#include "lib/store/etcd/base64.h"
#include "test/support/catch.h"

namespace featherid {

namespace {

using Json = nlohmann::json;

// The answer of etcd 3.4 to a transaction, as it was seen.
std::string answer(const std::string& rest, const std::string& revision = "7") {
  return R"({"header":{"cluster_id":"324952591200643719","member_id":"3319","revision":")" +
         revision + R"(","raft_term":"2"})" + rest + "}";
}

// The rest of it if it wrote a key, which it then read.
std::string written(const std::string& key, const std::string& value, const std::string& revision) {
  return R"(,"succeeded":true,"responses":[{"response_put":{"header":{"revision":")" + revision +
         R"("}}},{"response_range":{"header":{"revision":")" + revision + R"("},"kvs":[{"key":")" +
         key + R"(","create_revision":"2","mod_revision":")" + revision +
         R"(","version":"2","value":")" + value + R"("}],"count":"1"}}])";
}

}  // namespace

TEST_CASE("a transaction states what it assumes", "[etcd_txn]") {
  EtcdTxn txn;
  txn.if_unchanged("k", 12).if_value("c", "id").put("k", "v").remove("o").read("k");
  const Json body = Json::parse(txn.body());
  CHECK(txn.writes());
  CHECK(body["compare"] == Json::parse(R"([
      {"key":"aw==","target":"MOD","result":"EQUAL","mod_revision":"12"},
      {"key":"Yw==","target":"VALUE","result":"EQUAL","value":"aWQ="}])"));
  CHECK(body["success"] == Json::parse(R"([{"request_put":{"key":"aw==","value":"dg=="}},
                                           {"request_delete_range":{"key":"bw=="}},
                                           {"request_range":{"key":"aw=="}}])"));
  CHECK(body["failure"] == Json::parse(R"([{"request_range":{"key":"aw=="}}])"));
  EtcdTxn read;
  EtcdRange range = with_prefix("a");
  range.count_max = 5;
  range.keys_only = true;
  read.read(range);
  CHECK_FALSE(read.writes());
  CHECK(Json::parse(read.body()) == Json::parse(R"({"success":[{"request_range":
      {"key":"YQ==","range_end":"Yg==","limit":"5","keys_only":true}}]})"));
}

TEST_CASE("a prefix ends where its last byte does", "[etcd_txn]") {
  CHECK(with_prefix("a/").end == "a0");
  CHECK(with_prefix("a\xFF\xFF").end == "b");
}

TEST_CASE("a write is one if the answer says so", "[etcd_txn]") {
  EtcdTxn txn;
  txn.if_unchanged("k", 6).put("k", "v").read("k");
  const auto good = txn.read_answer(answer(written("aw==", "dg==", "7")));
  REQUIRE(good.ok());
  CHECK(good->succeeded);
  CHECK(good->cluster == "324952591200643719");
  CHECK(good->revision == 7);
  const auto lost = txn.read_answer(answer(
      R"(,"responses":[{"response_range":{"header":{"revision":"7"},"kvs":[{"key":"aw==",
      "create_revision":"2","mod_revision":"6","version":"1","value":"dg=="}],"count":"1"}}])"));
  REQUIRE(lost.ok());
  CHECK_FALSE(lost->succeeded);
  REQUIRE(lost->reads.size() == 1);
  REQUIRE(lost->reads[0].size() == 1);
  CHECK(lost->reads[0][0].key == "k");
  CHECK(lost->reads[0][0].value == "v");
  CHECK(lost->reads[0][0].revision == 6);
  const auto gone = txn.read_answer(answer(R"(,"responses":[{"response_range":{}}])"));
  REQUIRE(gone.ok());
  CHECK(gone->reads[0].empty());
}

TEST_CASE("an answer that cannot be right is refused", "[etcd_txn]") {
  EtcdTxn txn;
  txn.if_unchanged("k", 6).put("k", "v").read("k");
  const std::string good = written("aw==", "dg==", "7");
  const std::string put = good.substr(good.find("\"responses"));
  for (const std::string& body :
       {std::string(),
        std::string("{}"),
        std::string("[]"),
        std::string("null"),
        answer(""),
        answer(R"(,"succeeded":true)"),
        answer("," + put),
        answer(R"(,"succeeded":"true",)" + put),
        answer(R"(,"succeeded":1,)" + put),
        answer(R"(,"succeeded":true,)" + put, "8"),  // the put is of another revision
        answer(R"(,"succeeded":true,)" + put, "0"),
        answer(R"(,"succeeded":true,)" + put, "x"),
        answer(R"(,"succeeded":true,"responses":[{"response_range":{}}])"),
        answer(R"(,"succeeded":true,"responses":[{"response_put":{"header":{"revision":"7"}}},
               {"response_put":{"header":{"revision":"7"}}}])"),
        answer(R"(,"succeeded":true,"responses":[{"response_put":{"header":{"revision":"7"}}}])"),
        answer(R"(,"succeeded":true,"responses":[{"response_put":{}},{"response_range":{}}])"),
        answer(
            written("YQ==", "dg==", "7")),  // of other calls: another key, another value, another
        answer(written("aw==", "YQ==", "7")),  // revision
        answer(written("aw==", "dg==", "6")),
        answer(R"(,"responses":[{"response_range":{"kvs":[{"key":"aw==","value":"dg=="}]}}])"),
        answer(R"(,"responses":[{"response_range":{"kvs":[{"key":"!","mod_revision":"6"}]}}])"),
        R"({"succeeded":true,)" + put + "}"}) {
    INFO(body);
    CHECK(txn.read_answer(body).status().code() == StatusCode::kFailedPrecondition);
  }
  EtcdTxn read;
  read.read("k");
  CHECK(read.read_answer(answer(R"(,"responses":[{"response_range":{}}])")).status().code() ==
        StatusCode::kFailedPrecondition);  // nothing can make it fail
  CHECK(read.read_answer(answer(R"(,"succeeded":true,"responses":[{"response_range":{}}])")).ok());
}

}  // namespace featherid
