// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/count_of.h"
#include "test/support/frozen.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/drain_load.h"
#include "test/system/e2e/server_process.h"
#include "test/system/e2e/tls_client.h"

namespace featherid::test {

namespace {

const std::string kRequest = "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\n\r\n";

int answers_in(const std::optional<std::string>& text) {
  return count_of(text.value_or(""), "\"code\":0");
}

// The first id of a server. It has leased by then.
std::int64_t first_id(int port, const Certificate* certificate) {
  std::optional<std::string> answer;
  if (certificate != nullptr) {
    const TlsClient client(port, *certificate);
    client.send(kRequest);
    answer = client.read_until("}");
  } else {
    const RawClient client(port);
    client.send(kRequest);
    answer = client.read_until("}");
  }
  const std::string label = "\"data\":";
  return std::stoll(answer.value().substr(answer->find(label) + label.size()));
}

// How many restarts the campaign makes; FEATHERID_DRAIN_RESTARTS asks for more.
int restarts() {
  const char* const wanted = std::getenv("FEATHERID_DRAIN_RESTARTS");
  return wanted != nullptr ? std::atoi(wanted) : 5;
}

}  // namespace

TEST_CASE("requests sent before SIGTERM are answered, accepted or not", "[e2e][drain]") {
  const ScratchDir scratch;
  ServerProcess server(scratch);
  std::vector<std::unique_ptr<RawClient>> kept;
  std::vector<std::unique_ptr<RawClient>> fresh;
  for (int i = 0; i < 50; ++i) {
    kept.push_back(std::make_unique<RawClient>(server.port()));
    kept.back()->send(kRequest);
    REQUIRE(kept.back()->read_until("\"data\":"));
  }
  {
    const Frozen frozen(server.process().pid());
    server.process().signal(SIGTERM);  // arrives when it runs again, like everything else
    for (const auto& client : kept) client->send(kRequest + kRequest);
    for (int i = 0; i < 50; ++i) {  // in the kernel's queue
      fresh.push_back(std::make_unique<RawClient>(server.port()));
      fresh.back()->send(kRequest);
    }
  }
  for (const auto& client : kept) CHECK(answers_in(client->read_to_end()) == 2);
  for (const auto& client : fresh) CHECK(answers_in(client->read_to_end()) == 1);
  CHECK(server.process().wait(std::chrono::seconds(10)) == 0);
}

namespace {

// False if the requests came so late that the server may have closed before: it waits for 500 ms.
bool check_grace_period() {
  const ScratchDir scratch;
  ServerProcess server(scratch);
  const RawClient active(server.port());
  const RawClient silent(server.port());
  for (const RawClient* client : {&active, &silent}) {
    client->send(kRequest);
    REQUIRE(client->read_until("\"data\":"));
  }
  const auto begin = std::chrono::steady_clock::now();
  server.process().signal(SIGTERM);
  REQUIRE(wait_until([&] { return server.output().find("stopping") != std::string::npos; }));
  active.send(kRequest + kRequest);
  const auto answers = active.read_to_end();
  const auto took = std::chrono::steady_clock::now() - begin;
  if (answers == "" && took > std::chrono::milliseconds(400)) return false;
  REQUIRE(answers_in(answers) == 2);
  const std::size_t close = answers->find("Connection: close\r\n");
  CHECK(close != std::string::npos);
  CHECK(close > answers->find("\"code\":0"));  // it is in the last one
  CHECK(silent.read_to_end() == "");
  CHECK(server.process().wait(std::chrono::seconds(10)) == 0);
  return true;
}

}  // namespace

TEST_CASE("a drain has a grace period: requests on their way are answered", "[e2e][drain]") {
  int late = 0;
  while (late < 10 && !check_grace_period()) ++late;  // the machine may stall
  CHECK(late < 10);
}

// Clients get every answer that was begun, no established connection is reset, and no id is lost:
// ids come without a gap through all restarts. The step is so long that no segment follows another
// while ids are claimed, because that may cost an id (id_cursor.h).
TEST_CASE("a drain under full load loses no accepted request", "[e2e][drain]") {
  const ScratchDir scratch;
  const bool tls = GENERATE(false, true);
  const Certificate certificate(scratch, "server");
  std::vector<std::string> flags;
  if (tls) flags = {"--tls-cert", certificate.cert_file, "--tls-key", certificate.key_file};
  REQUIRE(run_server(scratch, {"--init-schema"}).exit_code == 0);
  RawSql("sqlite3:" + scratch.file("ids.db")).run("UPDATE id_segments SET step = 10000000");
  std::vector<std::int64_t> ids;
  DrainLoad::Account sum;
  for (int round = 0; round < restarts(); ++round) {
    INFO("restart " << round);
    ServerProcess server(scratch, flags);
    ids.push_back(first_id(server.port(), tls ? &certificate : nullptr));
    DrainLoad load(server.port(), tls);
    load.run_until([](const DrainLoad::Account& account) { return account.answers > 3000; });
    server.process().signal(SIGTERM);
    load.run_to_end(
        [&] { return server.process().wait(std::chrono::milliseconds(0)).has_value(); });
    CHECK(server.process().wait(std::chrono::seconds(10)) == 0);
    INFO(load.account().first_fault);
    INFO(server.output());
    REQUIRE(load.account().cut == 0);
    // A client that connects while the port closes may be reset if the kernel cannot hold it off.
    const bool holds_off = server.output().find("cannot hold off new clients") == std::string::npos;
    REQUIRE((load.account().reset == 0 || !holds_off));
    sum.reset += load.account().reset;
    ids.insert(ids.end(), load.account().ids.begin(), load.account().ids.end());
    sum.answers += load.account().answers;
    sum.clean_closes += load.account().clean_closes;
    sum.unanswered += load.account().unanswered;
    sum.refused += load.account().refused;
  }
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
  CHECK(ids.front() == 1);
  CHECK(ids.back() == static_cast<std::int64_t>(ids.size()));
  WARN(restarts() << (tls ? " restarts under TLS: " : " restarts: ") << sum.answers
                  << " whole answers, " << sum.clean_closes << " clean closes (" << sum.unanswered
                  << " requests unanswered), " << sum.refused << " refused, 0 cut, " << sum.reset
                  << " reset");
}

}  // namespace featherid::test
