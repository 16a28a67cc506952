// SPDX-License-Identifier: MIT
// The programs on real etcd clusters.
#include <csignal>
#include <string>
#include <vector>

#include "test/support/etcd_cluster.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/command_process.h"

namespace featherid::test {

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a server and the command share the tags of an etcd cluster", "[e2e][etcd]") {
  EtcdCluster etcd;
  const ScratchDir scratch;
  const CommandProcess command(scratch, etcd.url());
  const RunResult early = command.run({"next", "order"});
  CHECK(early.exit_code == 4);
  CHECK(has(command.good({"init"}), "tags created: health, order, user"));
  ServerProcess server(scratch, {"--database", etcd.url()});
  CHECK(server.id() == 1);
  CHECK(command.good({"next", "order"}) != "1\n");
  command.good({"tag", "create", "订单", "--cap", "int32"});
  CHECK(wait_until(
      [&] { return server.get("/api/v1/id?biz_tag=%E8%AE%A2%E5%8D%95").status == 200; }));
  // Killed, it comes back with every lease.
  etcd.stop(0, SIGKILL);
  etcd.start(0);
  CHECK(wait_until([&] { return command.run({"next", "order"}).exit_code == 0; }));
  CHECK(server.process().stop(SIGTERM) == 0);
}

TEST_CASE("doctor looks at every member of an etcd cluster", "[e2e][etcd]") {
  EtcdCluster etcd(3);
  const ScratchDir scratch;
  const CommandProcess command(scratch, etcd.url());
  command.good({"init"});
  const std::string before = command.good({"tags"});
  const std::string well = command.good({"doctor"});
  CAPTURE(well);
  CHECK(has(well, "members: the cluster has 3 members, of which 1 may be lost"));
  CHECK(has(well, "version: etcd 3."));
  CHECK(has(well, "size: the database has "));
  CHECK(has(well, "clock: "));
  CHECK(has(well, "tls: connections do not leave this machine"));
  CHECK(has(well, "etcd: it leases ids"));
  CHECK(has(well, "latency: a lease takes "));
  CHECK(command.good({"tags"}) == before);  // no id was used up

  const std::string one = "etcd://" + etcd.address(0) + "/featherid";
  CHECK(has(CommandProcess(scratch, one).doctor(),
            "warning members: the URL does not name every member: member-"));
  etcd.stop(2, SIGKILL);
  const std::string lost = command.doctor();
  CAPTURE(lost);
  CHECK(has(lost, "warning members: no answer from http://" + etcd.address(2)));
  CHECK(has(lost, "ok etcd: it leases ids"));
  etcd.stop(1, SIGKILL);
  CHECK(wait_until([&] { return has(command.doctor(), "knows no leader"); }));
  CHECK(command.run({"doctor"}).exit_code == 1);
}

TEST_CASE("doctor names what is weak in an etcd cluster", "[e2e][etcd]") {
  EtcdCluster etcd(2, {{"--quota-backend-bytes=2000000"}});
  const ScratchDir scratch;
  const CommandProcess command(scratch, etcd.url());
  CHECK(has(command.doctor(), "warning settings: there is no tag 'health'"));
  command.good({"init"});
  CHECK(
      has(command.doctor(), "warning members: the cluster has 2 members, and the loss of either"));
  const std::string filler(100000, 'x');
  const bool full = wait_until([&] {
    try {
      etcd.put("/filler", filler);
      return false;
    } catch (const std::exception& refused) {  // or it has only not answered in time
      return has(refused.what(), "space exceeded");
    }
  });
  REQUIRE(full);
  const std::string found = command.doctor();
  CAPTURE(found);
  CHECK(has(found, "problem alarms: the alarm NOSPACE of member "));
  CHECK(has(found, "warning size: the database has "));
  CHECK(has(found, "problem etcd: "));
}

TEST_CASE("the alarms of etcd are said to clients, to /readyz and by doctor", "[e2e][etcd]") {
  EtcdCluster etcd;
  const ScratchDir scratch;
  const CommandProcess command(scratch, etcd.url());
  command.good({"init"});
  for (const std::string alarm : {"NOSPACE", "CORRUPT"}) {
    CAPTURE(alarm);
    ServerProcess server(scratch, {"--database", etcd.url(), "--request-timeout", "4s"});
    CHECK(server.id() > 0);
    etcd.raise_alarm(0, alarm);
    Answer answer;
    for (const char* count : {"500", "1"}) {  // until no id is left
      CHECK(wait_until([&] {
        answer = server.get(std::string("/api/v1/id/range?biz_tag=order&count=") + count);
        return answer.status != 200;
      }));
    }
    INFO(answer.message());
    CHECK(has(answer.message(), "etcdctl alarm"));
    CHECK(wait_until([&] { return server.get("/readyz").status == 503; }));
    const std::string unready = server.get("/readyz").message();
    INFO(unready);
    CHECK(has(unready, "etcdctl alarm"));
    CHECK(has(command.doctor(), "problem alarms: the alarm " + alarm + " of member "));
    CHECK(has(command.doctor(), "problem etcd: "));
    etcd.ctl({"alarm", "disarm"});
    // A full disk is over then. Members that differed need a new process.
    const int then = alarm == "NOSPACE" ? 200 : 409;
    CHECK(wait_until([&] { return server.get("/readyz").status == 200; }));
    CHECK(wait_until([&] { return server.get("/api/v1/id?biz_tag=order").status == then; }));
    CHECK(server.process().stop(SIGTERM) == 0);
  }
}

}  // namespace featherid::test
