// SPDX-License-Identifier: MIT
#include "lib/store/etcd/cluster_guard.h"

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("answers of one cluster whose revision grows are good", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  CHECK(guard.seen().cluster.empty());
  CHECK(guard.judge(guard.seen(), "1", 5, false).ok());
  CHECK(guard.judge(guard.seen(), "1", 5, false).ok());
  CHECK(guard.judge(guard.seen(), "1", 9, false).ok());
  CHECK(guard.seen().cluster == "1");
  CHECK(guard.seen().revision == 9);
}

TEST_CASE("answers to calls at once may come in any order", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  const ClusterGuard::Seen before = guard.seen();
  CHECK(guard.judge(before, "1", 9, false).ok());
  CHECK(guard.judge(before, "1", 7, false).ok());
  CHECK(guard.seen().revision == 9);
}

TEST_CASE("a revision that went back is kDataLoss", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  REQUIRE(guard.judge(guard.seen(), "1", 9, false).ok());
  const Status lost = guard.judge(guard.seen(), "1", 8, false);
  INFO(lost);
  CHECK(lost.code() == StatusCode::kDataLoss);
  CHECK(lost.message().find("from revision 9 to 8") != std::string::npos);
}

TEST_CASE("a write makes a revision that nobody has seen", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  REQUIRE(guard.judge(guard.seen(), "1", 9, true).ok());
  CHECK(guard.judge(guard.seen(), "1", 10, true).ok());
  const Status lost = guard.judge(guard.seen(), "1", 10, true);
  INFO(lost);
  CHECK(lost.code() == StatusCode::kDataLoss);
  CHECK(lost.message().find("from revision 10 to 9") != std::string::npos);
}

TEST_CASE("another cluster is kDataLoss, whatever its revision", "[cluster_guard]") {
  ClusterGuard guard("/x/cluster");
  REQUIRE(guard.judge(guard.seen(), "1", 9, false).ok());
  const Status other = guard.judge(guard.seen(), "2", 100, false);
  INFO(other);
  CHECK(other.code() == StatusCode::kDataLoss);
  CHECK(other.message().find("delete the key /x/cluster") != std::string::npos);
  CHECK(guard.judge(guard.seen(), "1", 9, false).ok());
}

}  // namespace featherid
