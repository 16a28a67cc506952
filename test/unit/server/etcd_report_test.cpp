// SPDX-License-Identifier: MIT
#include "server/store/etcd_report.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

EtcdMemberReport member(const std::string& id) {
  EtcdMemberReport member;
  member.url = "https://" + id + ":2379";
  member.id = id;
  member.cluster = "101";
  member.version = "3.5.16";
  member.leader = "a";
  member.size_bytes = 1 << 20;
  member.quota_bytes = std::int64_t{2} << 30;
  member.syncs = 5;
  return member;
}

// A cluster without a fault.
EtcdClusterReport cluster_of(std::size_t members) {
  EtcdClusterReport report;
  for (std::size_t i = 0; i < members; ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    report.members.push_back(member(id));
    report.listed.push_back({id, "name-" + id});
  }
  report.open_to_all = false;
  report.has_login = true;
  return report;
}

std::string found(const EtcdClusterReport& report) {
  const char* const kNames[] = {"ok", "warning", "problem"};
  std::string text;
  for (const Finding& finding : examine_cluster(report)) {
    text += std::string(kNames[static_cast<int>(finding.level)]) + " " + finding.topic + ": " +
            finding.text + "\n";
  }
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a good cluster has facts only", "[etcd_report]") {
  const std::string text = found(cluster_of(3));
  CAPTURE(text);
  CHECK(has(text, "ok members: the cluster has 3 members, of which 1 may be lost"));
  CHECK(has(text, "ok version: etcd 3.5.16"));
  CHECK(has(text, "ok size: the database has 1 MiB of 2048 MiB"));
  CHECK(has(text, "ok clock: "));
  CHECK(has(text, "ok tls: "));
  CHECK(has(text, "ok login: the cluster requires a login"));
  CHECK_FALSE(has(text, "warning"));
  CHECK_FALSE(has(text, "problem"));
}

TEST_CASE("the number of members is judged", "[etcd_report]") {
  CHECK(has(found(cluster_of(1)), "warning members: the cluster has 1 member, so"));
  CHECK(has(found(cluster_of(2)),
            "warning members: the cluster has 2 members, and the loss of "
            "either stops every lease"));
  CHECK(has(found(cluster_of(4)), "no more of them than 3 members"));
  CHECK(has(found(cluster_of(5)), "ok members: the cluster has 5 members, of which 2 may be lost"));
  EtcdClusterReport learning = cluster_of(4);
  learning.listed[3].learner = learning.members[3].learner = true;
  const std::string text = found(learning);
  CHECK(has(text, "ok members: the cluster has 3 members"));
  CHECK(has(text, "warning members: https://d:2379 is a learner"));
  EtcdClusterReport unknown = cluster_of(1);
  unknown.listed.clear();
  CHECK_FALSE(has(found(unknown), "1 member"));
}

TEST_CASE("the URL has to name each member of one cluster once", "[etcd_report]") {
  EtcdClusterReport partly = cluster_of(3);
  partly.members.pop_back();
  CHECK(has(found(partly), "warning members: the URL does not name every member: name-c is"));
  EtcdClusterReport twice = cluster_of(3);
  twice.members[2].id = "a";
  const std::string text = found(twice);
  CHECK(has(text, "https://c:2379 is a member that the URL names twice"));
  CHECK(has(text, "name-c is missing"));
  EtcdClusterReport two = cluster_of(3);
  two.members[1].cluster = "202";
  CHECK(has(found(two), "problem members: the URL names members of 2 clusters"));
}

TEST_CASE("members that do not answer, or know no leader, are named", "[etcd_report]") {
  EtcdClusterReport report = cluster_of(3);
  report.members[1].answers = Status(StatusCode::kUnavailable, "no answer from b");
  const std::string text = found(report);
  CHECK(has(text, "warning members: no answer from b"));
  CHECK_FALSE(has(text, "is missing"));
  report.members[2].leader = "0";
  CHECK(has(found(report), "problem members: https://c:2379 knows no leader"));
  for (EtcdMemberReport& each : report.members) {
    each.answers = Status(StatusCode::kUnavailable, "no answer");
  }
  CHECK(has(found(report), "problem members: no answer"));
}

TEST_CASE("what can lose or stop leases is a problem, or a warning in time", "[etcd_report]") {
  EtcdClusterReport report = cluster_of(3);
  report.members[0].version = "3.5.2";
  report.members[1].size_bytes = std::int64_t{1800} << 20;
  report.members[2].ahead = std::chrono::seconds(-7);
  report.alarms = {"NOSPACE of member a", "CORRUPT of member b"};
  const std::string text = found(report);
  CAPTURE(text);
  CHECK(has(text, "problem version: etcd 3.5.2: its members may differ"));
  CHECK(has(text, "warning version: the members have different versions"));
  CHECK(has(text, "warning size: the database has 1800 MiB of 2048 MiB on https://b:2379"));
  CHECK(has(text, "warning clock: the clock of https://c:2379 is 7 s behind"));
  CHECK(has(text, "problem alarms: the alarm NOSPACE of member a is on, so no lease is granted"));
  CHECK(has(text, "problem alarms: the alarm CORRUPT of member b is on, so its data may be"));
}

TEST_CASE("a member that writes nothing to its disk while leases are granted is named",
          "[etcd_report]") {
  const EtcdClusterReport before = cluster_of(3);
  EtcdClusterReport after = before;
  after.members[0].syncs = 6;
  after.members[2].syncs.reset();
  const std::vector<Finding> found = examine_disks(before, after);
  REQUIRE(found.size() == 1);
  CHECK(found[0].level == Finding::Level::kProblem);
  CHECK(has(found[0].text, "https://b:2379 has not synced"));
}

TEST_CASE("an unencrypted or open cluster is reported unless it is on this machine",
          "[etcd_report]") {
  EtcdClusterReport report = cluster_of(3);
  for (EtcdMemberReport& each : report.members) each.url = "http://" + each.id + ":2379";
  CHECK(has(found(report), "problem tls: connections are not encrypted"));
  report.has_login = false;
  report.open_to_all = true;
  CHECK(has(found(report), "warning tls: connections are not encrypted"));
  CHECK(has(found(report), "warning login: the cluster requires no login"));
  report.has_certificate = true;
  CHECK_FALSE(has(found(report), "login"));
  report.has_login = true;
  CHECK(has(found(report), "warning login: the URL has a login, and the cluster requires none"));
  for (EtcdMemberReport& each : report.members) each.url = "http://127.0.0.1:2379";
  CHECK(has(found(report), "ok tls: connections do not leave this machine"));
}

}  // namespace featherid
