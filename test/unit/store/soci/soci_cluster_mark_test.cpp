// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_cluster_mark.h"

#include <memory>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

// A SQLite file acts as a node: its table `me` names its cluster and how it keeps its marks. (Tests
// with real clusters: test/system/integration.)
const MarkSql kSql = {
    " AND EXISTS (SELECT 1 FROM id_mark WHERE term = ",
    "INSERT OR IGNORE INTO id_mark VALUES (:term)",
    "SELECT l.term, l.server = me.name, EXISTS (SELECT 1 FROM id_mark m WHERE m.term = l.term), "
    "EXISTS (SELECT 1 FROM id_mark m WHERE m.term >> 32 < l.term >> 32), me.name, me.engine "
    "FROM id_leader l, me",
    "MEMORY",
    nullptr,
};

constexpr long long kOneLeader = 1LL << 32;
constexpr long long kTerm = 3 * kOneLeader + 77;

struct TestNode {
  TestNode() {
    for (const std::string& sql : std::vector<std::string>{
             "CREATE TABLE me (name TEXT, engine TEXT)", "INSERT INTO me VALUES ('c', 'MEMORY')",
             "CREATE TABLE id_leader (server TEXT, term INTEGER)",
             "INSERT INTO id_leader VALUES ('c', " + std::to_string(kTerm) + ")",
             "CREATE TABLE id_mark (term INTEGER PRIMARY KEY)"}) {
      session.run(sql);
    }
  }
  void mark(long long term) {
    session.run("INSERT INTO id_mark VALUES (" + std::to_string(term) + ")");
  }
  bool leases(const ClusterMark& mark, long long term) {
    return session.run("SELECT 1 WHERE 1 = 1" + mark.condition(term)).got_row;
  }

  const test::ScratchDir scratch;
  SociSession session{*parse_database_url("sqlite3:" + scratch.file("node.db")),
                      std::chrono::seconds(1), std::chrono::seconds(1)};
};

// The first one is asked, and it asks the others.
struct Cluster {
  TestNode node;
  TestNode other;
  TestNode third;
  int asked = 0;
  ClusterMark mark{kSql, [this](SociSession&, const auto& ask) {
                     ++asked;
                     return ask(other.session) || ask(third.session);
                   }};
};

}  // namespace

TEST_CASE("a node with the mark of the term on record lives, and nobody else is asked",
          "[soci_cluster_mark]") {
  Cluster c;
  CHECK_FALSE(c.node.leases(c.mark, kTerm));
  c.mark.add(c.node.session, kTerm);
  c.mark.add(c.node.session, kTerm);
  CHECK(c.node.leases(c.mark, kTerm));
  CHECK_FALSE(c.node.leases(c.mark, kTerm + 1));
  const ClusterMark::Node node = c.mark.look(c.node.session);
  CHECK(node.lives);
  CHECK(node.leads);
  CHECK(node.term == kTerm);
  CHECK(c.asked == 0);
}

TEST_CASE("a node that has joined gets the mark of one that has lived on", "[soci_cluster_mark]") {
  Cluster c;
  c.third.mark(kTerm);
  CHECK(c.mark.look(c.node.session).lives);
  CHECK(c.node.leases(c.mark, kTerm));
  CHECK_FALSE(c.other.leases(c.mark, kTerm));
}

TEST_CASE("no node has a mark: the cluster has died", "[soci_cluster_mark][failover]") {
  Cluster c;
  const ClusterMark::Node node = c.mark.look(c.node.session);
  CHECK(c.asked == 1);
  CHECK(node.has_record);
  CHECK_FALSE(node.lives);
  CHECK_FALSE(c.node.leases(c.mark, kTerm));
}

TEST_CASE("a node of another cluster, or in another term, proves nothing",
          "[soci_cluster_mark][failover]") {
  Cluster c;
  c.other.mark(kTerm);
  SECTION("another cluster") { c.other.session.run("UPDATE me SET name = 'd'"); }
  SECTION("it lags behind, or is ahead") {
    const long long term = kTerm + GENERATE(-kOneLeader, kOneLeader);
    c.other.session.run("UPDATE id_leader SET term = " + std::to_string(term));
    c.other.mark(term);
  }
  CHECK_FALSE(c.mark.look(c.node.session).lives);
}

TEST_CASE("a node lives in a term that began while it lived in the one before",
          "[soci_cluster_mark]") {
  Cluster c;
  c.node.mark(kTerm - kOneLeader - 5);
  CHECK_FALSE(c.node.leases(c.mark, kTerm));
  CHECK(c.mark.look(c.node.session).lives);
  CHECK(c.node.leases(c.mark, kTerm));
  CHECK(c.asked == 0);
}

TEST_CASE("a term that never began, or that was lost, is no mark",
          "[soci_cluster_mark][failover]") {
  Cluster c;
  c.node.mark(kTerm + 1);
  c.node.mark(kTerm + kOneLeader);
  CHECK_FALSE(c.mark.look(c.node.session).lives);
}

TEST_CASE("a table that outlives its node is refused by name", "[soci_cluster_mark]") {
  Cluster c;
  c.node.mark(kTerm);
  c.node.session.run("UPDATE me SET engine = 'InnoDB'");
  const Status refused = c.mark.look(c.node.session).refused;
  CHECK(refused.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(refused.message(), Contains("id_mark uses the engine InnoDB") &&
                                    Contains("DROP TABLE") && Contains("featherid init"));
}

TEST_CASE("a node without a record of a leader is an error", "[soci_cluster_mark]") {
  Cluster c;
  c.node.session.run("DELETE FROM id_leader");
  CHECK_FALSE(c.mark.look(c.node.session).has_record);
  CHECK(c.asked == 0);
}

}  // namespace featherid
