// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_cluster_mark.h"

namespace featherid {

using soci::into;
using soci::use;

std::string ClusterMark::condition(long long term) const {
  return sql_.condition + std::to_string(term) + ")";
}

ClusterMark::Node ClusterMark::look(SociSession& session) const {
  // In this order: first this node, which is up until the session ends, then one that has been up
  // all the time. So the cluster cannot have died in between.
  Answer here = ask(session);
  Node& node = here.node;
  if (!node.has_record || node.lives || !node.refused.ok()) return node;
  const auto has_lived_with_it = [&](SociSession& other) {
    const Answer there = ask(other);
    return there.node.lives && there.node.term == node.term && there.cluster == here.cluster;
  };
  node.lives = ask_nodes_(session, has_lived_with_it);
  if (node.lives) add(session, node.term);
  return node;
}

void ClusterMark::add(SociSession& session, long long term) const {
  session.run(sql_.add, use(term, "term"));
}

ClusterMark::Answer ClusterMark::ask(SociSession& session) const {
  Answer answer;
  long long leads = 0;
  long long has_mark = 0;
  long long has_older_mark = 0;
  std::string engine;
  answer.node.has_record = session
                               .run(sql_.look, into(answer.node.term), into(leads), into(has_mark),
                                    into(has_older_mark), into(answer.cluster), into(engine))
                               .got_row;
  if (!answer.node.has_record) return answer;
  answer.node.leads = leads != 0;
  if (engine != sql_.engine) {
    answer.node.refused = {
        StatusCode::kFailedPrecondition,
        session.where() + ": " +
            names_.in("the table id_mark uses the engine " + engine + " instead of " + sql_.engine +
                      ", so a crash of the whole cluster would go unnoticed; DROP TABLE id_mark, "
                      "then run featherid init")};
    return answer;
  }
  // Another process has begun this term through another node, while this node was up.
  if (has_mark == 0 && has_older_mark != 0) add(session, answer.node.term);
  answer.node.lives = has_mark != 0 || has_older_mark != 0;
  return answer;
}

}  // namespace featherid
