// SPDX-License-Identifier: MIT
#include "lib/store/etcd/cluster_report.h"

#include <string>

#include "test/support/catch.h"
#include "test/support/ports.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

using test::FakeEtcd;

TEST_CASE("each member says what it is, healthy or not", "[cluster_report]") {
  FakeEtcd etcd;
  etcd.set_healthy(false);
  etcd.set_answer("/v3/maintenance/status",
                  R"({"header":{"cluster_id":"101","member_id":"7","revision":"5"},)"
                  R"("version":"3.4.23","dbSize":"20480","leader":"9","isLearner":true})");
  etcd.set_answer("/metrics",
                  "# HELP x\netcd_server_quota_backend_bytes 2.147483648e+09\n"
                  "etcd_disk_wal_fsync_duration_seconds_count 12\n");
  etcd.set_answer("/v3/cluster/member/list",
                  R"({"members":[{"ID":"7","name":"a","isLearner":true},{"ID":"9"}]})");
  etcd.set_answer("/v3/maintenance/alarm", R"({"alarms":[{"memberID":"9","alarm":"NOSPACE"}]})");
  etcd.set_answer("/v3/kv/range", R"({"header":{}})");
  const std::string silent = std::to_string(test::free_port());
  EtcdStoreOptions options = test::patient_etcd();  // ten seconds behind the fake's date
  options.clock = [] { return WallTime(std::chrono::seconds(1796017539)); };
  const Result<EtcdClusterReport> told = read_cluster_report(
      "etcd://u:p@127.0.0.1:" + std::to_string(etcd.port()) + ",127.0.0.1:" + silent + "/x",
      options);
  REQUIRE(told.ok());
  REQUIRE(told->members.size() == 2);
  const bool fake_first = told->members[0].answers.ok();
  const EtcdMemberReport& member = told->members[fake_first ? 0 : 1];
  CHECK(told->members[fake_first ? 1 : 0].answers.code() == StatusCode::kUnavailable);
  CHECK(member.id == "7");
  CHECK(member.cluster == "101");
  CHECK(member.version == "3.4.23");
  CHECK(member.leader == "9");
  CHECK(member.learner);
  CHECK(member.size_bytes == 20480);
  CHECK(member.quota_bytes == 2147483648);
  CHECK(member.syncs == 12);
  CHECK(member.ahead == std::chrono::seconds(10));
  REQUIRE(told->listed.size() == 2);
  CHECK(told->listed[0].name == "a");
  CHECK(told->listed[0].learner);
  CHECK(told->alarms == std::vector<std::string>{"NOSPACE of member 9"});
  CHECK(told->open_to_all == true);
  CHECK(told->has_login);
  CHECK_FALSE(told->has_certificate);
}

TEST_CASE("what is no member of etcd is said to be none", "[cluster_report]") {
  FakeEtcd etcd;
  CHECK(read_cluster_report(etcd.url(), test::patient_etcd())->members[0].answers.code() ==
        StatusCode::kFailedPrecondition);
  for (const char* const body : {"{}", "[1]", "nonsense", R"({"header":7})"}) {
    etcd.set_answer("/v3/maintenance/status", body);
    CHECK(read_cluster_report(etcd.url(), test::patient_etcd())->members[0].answers.code() ==
          StatusCode::kFailedPrecondition);
  }
  CHECK(read_cluster_report("etcd://a", {}).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a member that says little is believed in that", "[cluster_report]") {
  FakeEtcd etcd;
  etcd.set_answer("/v3/maintenance/status",
                  R"({"header":{"cluster_id":"101","member_id":"7"},"leader":3})");
  etcd.set_answer("/v3/cluster/member/list", R"({"members":[3]})");
  etcd.set_answer("/v3/maintenance/alarm", R"({"alarms":"none"})");
  const Result<EtcdClusterReport> told = read_cluster_report(etcd.url(), test::patient_etcd());
  REQUIRE(told->members[0].answers.ok());
  CHECK(told->members[0].leader.empty());
  CHECK_FALSE(told->members[0].syncs);
  CHECK_FALSE(told->open_to_all);
}

}  // namespace featherid
