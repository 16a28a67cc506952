// SPDX-License-Identifier: MIT
#include "lib/store/etcd/cluster_guard.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("answers of one cluster whose revision grows are good", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  CHECK(guard.seen().cluster.empty());
  CHECK(guard.judge(guard.seen(), "1", 5).ok());
  CHECK(guard.judge(guard.seen(), "1", 5).ok());
  CHECK(guard.judge(guard.seen(), "1", 9).ok());
  CHECK(guard.seen().cluster == "1");
  CHECK(guard.seen().revision == 9);
}

TEST_CASE("answers to calls at once may come in any order", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  const ClusterGuard::Seen before = guard.seen();
  CHECK(guard.judge(before, "1", 9).ok());
  CHECK(guard.judge(before, "1", 7).ok());
  CHECK(guard.seen().revision == 9);
}

TEST_CASE("a revision that went back is kDataLoss", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  REQUIRE(guard.judge(guard.seen(), "1", 9).ok());
  const Status lost = guard.judge(guard.seen(), "1", 8);
  INFO(lost);
  CHECK(lost.code() == StatusCode::kDataLoss);
  CHECK(lost.message().find("from revision 9 to 8") != std::string::npos);
}

TEST_CASE("another cluster is kDataLoss, whatever its revision", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  REQUIRE(guard.judge(guard.seen(), "1", 9).ok());
  const Status other = guard.judge(guard.seen(), "2", 100);
  INFO(other);
  CHECK(other.code() == StatusCode::kDataLoss);
  CHECK(other.message().find("delete the key /x/cluster") != std::string::npos);
  CHECK(guard.judge(guard.seen(), "1", 9).ok());
}

}  // namespace featherid
