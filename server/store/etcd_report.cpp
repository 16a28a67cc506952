// SPDX-License-Identifier: MIT
#include "server/store/etcd_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>

#include "server/store/report.h"

namespace featherid {

namespace {

using Level = Finding::Level;
using Member = EtcdMemberReport;

// A member says only the second.
constexpr std::chrono::seconds kClockDifferenceMax{1};
// Of the quota.
constexpr std::int64_t kNearlyFullPercent = 80;

std::string mib(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

bool is_tls(const Member& member) { return member.url.rfind("https:", 0) == 0; }

bool is_local(const Member& member) {
  const std::string host = member.url.substr(member.url.find("://") + 3);
  return host.rfind("127.", 0) == 0 || host.rfind("localhost:", 0) == 0 ||
         host.rfind("[::1]", 0) == 0;
}

class ClusterExamination {
 public:
  explicit ClusterExamination(const EtcdClusterReport& report) : report_(report) {
    for (const Member& member : report_.members) {
      if (member.answers.ok()) answering_.push_back(&member);
    }
  }

  std::vector<Finding> run() {
    look_at_answers();
    if (answering_.empty() || !look_at_cluster()) return std::move(findings_);
    look_at_number();
    look_at_url();
    look_at_versions();
    look_at_alarms();
    look_at_sizes();
    look_at_clocks();
    look_at_tls();
    look_at_login();
    return std::move(findings_);
  }

 private:
  void add(Level level, const char* topic, std::string text) {
    findings_.push_back({level, topic, std::move(text)});
  }

  void look_at_answers() {
    const Level level = answering_.empty() ? Level::kProblem : Level::kWarning;
    for (const Member& member : report_.members) {
      if (!member.answers.ok()) add(level, "members", member.answers.message());
      if (member.answers.ok() && (member.leader.empty() || member.leader == "0")) {
        add(Level::kProblem, "members",
            member.url + " knows no leader, so it reaches no majority of the members; see its log");
      }
    }
  }

  // False: the members are not of one.
  bool look_at_cluster() {
    std::set<std::string> clusters;
    for (const Member* member : answering_) clusters.insert(member->cluster);
    if (clusters.size() == 1) return true;
    add(Level::kProblem, "members",
        "the URL names members of " + std::to_string(clusters.size()) +
            " clusters, so ids could be issued twice; correct the URL");
    return false;
  }

  std::size_t voters() const {
    return static_cast<std::size_t>(
        std::count_if(report_.listed.begin(), report_.listed.end(),
                      [](const EtcdClusterReport::Listed& each) { return !each.learner; }));
  }

  // How many members may be lost.
  void look_at_number() {
    const std::size_t count = voters();
    if (count == 0) return;  // nobody says
    const std::string members = std::to_string(count) + (count == 1 ? " member" : " members");
    if (count == 1) {
      add(Level::kWarning, "members",
          "the cluster has 1 member, so the loss of its machine stops every lease, and the loss of "
          "its disk loses them; use 3 members");
    } else if (count == 2) {
      add(Level::kWarning, "members",
          "the cluster has 2 members, and the loss of either stops every lease, which is worse "
          "than 1 member; use 3");
    } else if (count % 2 == 0) {
      add(Level::kWarning, "members",
          "the cluster has " + members + ", which may lose no more of them than " +
              std::to_string(count - 1) + " members; use an odd number");
    } else {
      add(Level::kFact, "members",
          "the cluster has " + members + ", of which " + std::to_string((count - 1) / 2) +
              " may be lost");
    }
  }

  // Whether it names each member that grants leases, once.
  void look_at_url() {
    std::set<std::string> named;
    for (const Member* member : answering_) {
      if (!named.insert(member->id).second) {
        add(Level::kWarning, "members",
            member->url +
                " is a member that the URL names twice, or a proxy in front of it; name "
                "each member by its own address");
      }
      if (member->learner) {
        add(Level::kWarning, "members",
            member->url +
                " is a learner, which grants no leases; take it out of the URL until it "
                "is promoted");
      }
    }
    if (answering_.size() < report_.members.size()) return;  // who is missing is open
    std::string missing;
    for (const EtcdClusterReport::Listed& each : report_.listed) {
      if (each.learner || named.count(each.id) > 0) continue;
      missing += (missing.empty() ? "" : ", ") + (each.name.empty() ? each.id : each.name);
    }
    if (missing.empty()) return;
    add(Level::kWarning, "members",
        "the URL does not name every member: " + missing +
            " is missing; name all, so that the loss of one stops no process");
  }

  void look_at_versions() {
    std::set<std::string> versions;
    for (const Member* member : answering_) {
      if (!member->version.empty()) versions.insert("etcd " + member->version);
    }
    for (const std::string& version : versions) {
      std::string fault = known_fault(version);
      if (fault.empty()) {
        add(Level::kFact, "version", version);
      } else {
        add(Level::kProblem, "version", version + ": " + std::move(fault));
      }
    }
    if (versions.size() > 1) {
      add(Level::kWarning, "version", "the members have different versions; finish the upgrade");
    }
  }

  void look_at_alarms() {
    for (const std::string& alarm : report_.alarms) {
      const bool full = alarm.rfind("NOSPACE", 0) == 0;
      add(Level::kProblem, "alarms",
          "the alarm " + alarm + " is on, so " +
              (full
                   ? "no lease is granted; compact the history, run etcdctl defrag on each member, "
                     "and then etcdctl alarm disarm"
                   : "its data may be damaged, and no lease is granted; replace that member, run "
                     "etcdctl alarm disarm, and advance every tag past the ids ever handed out"));
    }
  }

  void look_at_sizes() {
    const auto fullest = *std::max_element(
        answering_.begin(), answering_.end(),
        [](const Member* a, const Member* b) { return a->size_bytes < b->size_bytes; });
    if (fullest->size_bytes == 0 || fullest->quota_bytes == 0) return;
    const bool nearly = fullest->size_bytes >= fullest->quota_bytes / 100 * kNearlyFullPercent;
    add(nearly ? Level::kWarning : Level::kFact, "size",
        "the database has " + mib(fullest->size_bytes) + " of " + mib(fullest->quota_bytes) +
            (nearly ? " on " + fullest->url +
                          "; when it is full, no lease is granted: set "
                          "--auto-compaction-retention, and run etcdctl defrag on each member"
                    : ""));
  }

  void look_at_clocks() {
    bool agree = true;
    for (const Member* member : answering_) {
      if (std::chrono::abs(member->ahead) <= kClockDifferenceMax) continue;
      agree = false;
      add(Level::kWarning, "clock",
          "the clock of " + member->url + " is " + std::to_string(std::abs(member->ahead.count())) +
              " s " + (member->ahead.count() < 0 ? "behind" : "ahead of") +
              " this machine's; time floors and periods follow it: run NTP on both");
    }
    if (agree) {
      add(Level::kFact, "clock", "the members' clocks agree with this machine's to within 2 s");
    }
  }

  void look_at_tls() {
    if (is_tls(*answering_.front())) {
      add(Level::kFact, "tls", "connections are encrypted, and certificates are checked");
    } else if (all_local()) {
      add(Level::kFact, "tls", "connections do not leave this machine");
    } else {
      add(report_.has_login ? Level::kProblem : Level::kWarning, "tls",
          "connections are not encrypted, so others on the network can read and change what is "
          "sent; use etcds:// with ?ca=FILE");
    }
  }

  void look_at_login() {
    if (!report_.open_to_all) return;
    if (!*report_.open_to_all) return add(Level::kFact, "login", "the cluster requires a login");
    if (report_.has_login) {
      add(Level::kWarning, "login",
          "the URL has a login, and the cluster requires none, so everybody who reaches it can "
          "change tags; run: etcdctl auth enable");
    } else if (!all_local() && !report_.has_certificate) {
      add(Level::kWarning, "login",
          "the cluster requires no login, so everybody who reaches it can change tags; see "
          "docs/operating/etcd.md");
    }
  }

  bool all_local() const {
    return std::all_of(answering_.begin(), answering_.end(),
                       [](const Member* member) { return is_local(*member); });
  }

  const EtcdClusterReport& report_;
  std::vector<const Member*> answering_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> examine_cluster(const EtcdClusterReport& report) {
  return ClusterExamination(report).run();
}

std::vector<Finding> examine_disks(const EtcdClusterReport& before,
                                   const EtcdClusterReport& after) {
  std::vector<Finding> findings;
  for (const Member& member : after.members) {
    const auto same = std::find_if(before.members.begin(), before.members.end(),
                                   [&](const Member& old) { return old.url == member.url; });
    const bool says = member.syncs && same != before.members.end() && same->syncs;
    if (!says || *member.syncs != *same->syncs) continue;
    findings.push_back(
        {Level::kProblem, "disk",
         member.url + " has not synced its log to the disk while leases were granted, so a power "
                      "cut could lose them; do not start it with --unsafe-no-fsync, and see "
                      "whether the other members reach it"});
  }
  return findings;
}

}  // namespace featherid
