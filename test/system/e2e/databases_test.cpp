// SPDX-License-Identifier: MIT
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/forwarder.h"
#include "test/support/frozen.h"
#include "test/support/mysql_server.h"
#include "test/support/ports.h"
#include "test/support/postgresql_server.h"
#include "test/support/raw_sql.h"
#include "test/support/stopwatch.h"
#include "test/support/tls_server.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

// The databases behind a network.
#define DATABASES MYSQL_SERVERS, PostgresqlServer

const std::string kIdTarget = "/api/v1/id?biz_tag=order";

// Clients that ask one server for ids and keep every id they get.
class Clients {
 public:
  Clients(int port, int threads) : ids_(static_cast<std::size_t>(threads)) {
    for (std::vector<std::int64_t>& ids : ids_) {
      threads_.emplace_back([this, port, &ids] { ask(port, &ids); });
    }
  }
  ~Clients() { stop(); }

  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::int64_t count() const { return count_; }
  const std::vector<std::vector<std::int64_t>>& ids() const { return ids_; }

 private:
  void ask(int port, std::vector<std::int64_t>* ids) {
    httplib::Client client("127.0.0.1", port);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    while (!stopping_) {
      const auto result = client.Get("/api/v1/id/batch?biz_tag=order&count=7");
      if (!result || result->status != 200) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        continue;
      }
      const auto body = nlohmann::json::parse(result->body);
      for (const auto& id : body["data"]) ids->push_back(id.get<std::int64_t>());
      count_ += 7;
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> count_{0};
  std::vector<std::vector<std::int64_t>> ids_;  // each written by its own thread until stop()
  std::vector<std::thread> threads_;
};

}  // namespace

TEMPLATE_TEST_CASE("two servers on one database, one stopped and started again: no id twice",
                   "[e2e][databases]", DATABASES) {
  const TestType database;
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--database", database.url(), "--init-schema"}).exit_code == 0);
  const std::vector<std::string> flags = {"--database", database.url()};
  const std::string port = std::to_string(free_port());
  const std::vector<std::string> fixed = {"--database", database.url(), "--listen",
                                          "127.0.0.1:" + port};
  const ServerProcess first(scratch, flags);
  auto second = std::make_unique<ServerProcess>(scratch, fixed);
  Clients of_first(first.port(), 8);
  Clients of_second(second->port(), 8);
  for (const int how : {SIGTERM, SIGKILL, SIGTERM}) {
    const std::int64_t before = of_second.count();
    REQUIRE(wait_until([&] { return of_second.count() > before + 20000; }));
    CHECK(second->process().stop(how) == (how == SIGKILL ? 128 + SIGKILL : 0));
    second = std::make_unique<ServerProcess>(scratch, fixed);
  }
  const std::int64_t before = of_second.count();
  REQUIRE(wait_until([&] { return of_second.count() > before + 20000; }));
  of_first.stop();
  of_second.stop();

  std::set<std::int64_t> distinct;
  std::size_t handed_out = 0;
  for (const Clients* clients : {&of_first, &of_second}) {
    for (const auto& ids : clients->ids()) {
      handed_out += ids.size();
      distinct.insert(ids.begin(), ids.end());
    }
  }
  WARN("ids handed out: " << handed_out << ", of them distinct: " << distinct.size() << " ("
                          << of_first.count() << " by the first server, " << of_second.count()
                          << " by the second, which was stopped three times)");
  CHECK(handed_out == static_cast<std::size_t>(of_first.count() + of_second.count()));
  CHECK(distinct.size() == handed_out);
}

TEMPLATE_TEST_CASE("requests wait for a database that comes back, and others get the reason",
                   "[e2e][databases]", DATABASES) {
  TestType database;
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--database", database.url(), "--init-schema"}).exit_code == 0);
  database.stop();

  // It starts without its database, reports that, and later becomes ready by itself.
  const ServerProcess server(scratch, {"--database", database.url(), "--request-timeout", "2m"});
  CHECK(server.says("no ids can be leased yet: "));
  CHECK(server.says(" at 127.0.0.1:" + std::to_string(database.port()) +
                    ": no connection; make sure that the server runs"));
  CHECK(server.output().find(TestType::password()) == std::string::npos);
  CHECK(server.get("/readyz").status == 503);
  std::vector<std::unique_ptr<RawClient>> parked;
  for (int i = 0; i < 100; ++i) {
    parked.push_back(std::make_unique<RawClient>(server.port()));
    parked.back()->send("GET " + kIdTarget + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  CHECK(server.get("/healthz").status == 200);
  database.start();
  std::set<std::string> answers;
  for (const auto& client : parked) {
    const auto answer = client->read_until("\"data\":");
    REQUIRE(answer);
    INFO(*answer);
    CHECK(answer->find("HTTP/1.1 200") == 0);
    answers.insert(*answer);
  }
  CHECK(answers.size() == 100);
  CHECK(wait_until([&] { return server.get("/readyz").status == 200; }));

  // With ids in memory an outage does not show.
  database.stop(SIGKILL);
  CHECK(server.get("/readyz").status == 200);
  CHECK(server.get(kIdTarget).status == 200);
}

namespace {

// A database that the server cannot lease from, for a reason that may pass.
template <typename Server>
class Gone {  // refuses connections
 public:
  Gone() : address_(server_.port()) {
    REQUIRE(run_server(scratch_, {"--database", url(), "--init-schema"}).exit_code == 0);
    address_.switch_to(free_port());
  }
  std::string url() const { return with_port(server_.url(), address_.port()); }
  void come_back() { address_.switch_to(server_.port()); }

 private:
  ScratchDir scratch_;
  Server server_;
  Forwarder address_;
};

struct Sqlite;
template <>
class Gone<Sqlite> {  // another program holds the file
 public:
  Gone() {
    REQUIRE(run_server(scratch_, {"--database", url(), "--init-schema"}).exit_code == 0);
    other_ = std::make_unique<RawSql>(url(), "BEGIN EXCLUSIVE");
  }
  std::string url() const { return "sqlite3:" + scratch_.file("ids.db"); }
  void come_back() { other_->run("ROLLBACK"); }

 private:
  ScratchDir scratch_;
  std::unique_ptr<RawSql> other_;
};

}  // namespace

TEMPLATE_TEST_CASE("while a database fails, the first callers wait, and then nobody does",
                   "[e2e][databases]", Sqlite, DATABASES) {
  Gone<TestType> database;
  const ScratchDir scratch;
  const std::chrono::seconds patience(2);
  const ServerProcess server(
      scratch, {"--database", database.url(), "--call-timeout", "2s", "--request-timeout", "2s"});
  // How long the answer took, without the machine's stalls. It must be an error.
  const auto ask = [&server] {
    const Stopwatch watch;
    const Answer answer = server.get(kIdTarget);
    CAPTURE(answer.body);
    CHECK((answer.status == 503 || answer.status == 504));
    CHECK(answer.code() == 2);
    return watch.elapsed();
  };
  const auto begin = std::chrono::steady_clock::now();
  CHECK(ask() < 2 * patience);
  CHECK(std::chrono::steady_clock::now() - begin > 0.9 * patience);  // a stall is waiting, too
  // At once, when the database has failed for that long, counted from its first error.
  const auto at_once = [patience](Stopwatch::Duration took) { return took < 0.2 * patience; };
  CHECK(wait_until([&] { return at_once(ask()); }));
  for (int i = 0; i < 20; ++i) {
    const Stopwatch watch;
    const Answer answer = server.get(kIdTarget);
    INFO(answer.body);
    CHECK(at_once(watch.elapsed()));
    CHECK(answer.status == 503);
    CHECK(!answer.message().empty());
    CHECK(answer.message().find("arrived in time") == std::string::npos);  // but the cause
  }
  // Nobody has to ask again: the next callers find ids.
  database.come_back();
  CHECK(wait_until([&] { return server.get(kIdTarget).status == 200; }));
  CHECK(server.id() == 2);
}

TEMPLATE_TEST_CASE("if a database cannot be used, the server says what to do and then serves",
                   "[e2e][databases]", DATABASES) {
  const TestType database;
  const ScratchDir scratch;
  const std::string good = database.url();
  std::string wrong_password = good;
  wrong_password.replace(wrong_password.find("p%40ss"), 6, "hunter2");
  struct Case {
    std::string url;
    std::string words;
  };
  // The last one is fixed below.
  for (const Case& bad :
       {Case{wrong_password, "login refused"},
        Case{database.url("nowhere"), "there is no such database"}, Case{good, "featherid init"}}) {
    INFO(bad.words);
    // At once, because waiting does not fix it. The timeout is longer than any client waits.
    ServerProcess server(scratch, {"--database", bad.url, "--request-timeout", "10m"});
    for (const std::string& target : {kIdTarget, kIdTarget, std::string("/readyz")}) {
      const Answer answer = server.get(target);
      INFO(answer.body);
      CHECK(answer.status == 503);
      CHECK(answer.code() == 2);
      CHECK(answer.message().find(bad.words) != std::string::npos);
    }
    CHECK(server.says(bad.words));
    for (const std::string secret : {"hunter2", "p@ss", "p%40ss"}) {
      CHECK(server.output().find(secret) == std::string::npos);
    }
    if (bad.url == good) {
      REQUIRE(run_server(scratch, {"--database", good, "--init-schema"}).exit_code == 0);
      CHECK(wait_until([&] { return server.get("/readyz").status == 200; }));
      CHECK(wait_until([&] { return server.get(kIdTarget).status == 200; }));
      CHECK(server.id() == 2);
    }
    CHECK(server.process().stop(SIGTERM) == 0);
  }
  // One line on standard error, and a nonzero exit code.
  const RunResult refused = run_server(scratch, {"--database", wrong_password, "--init-schema"});
  CHECK(refused.exit_code == 1);
  CHECK(refused.output.find("--init-schema: ") != std::string::npos);
  CHECK(refused.output.find("login refused") != std::string::npos);
  CHECK(std::count(refused.output.begin(), refused.output.end(), '\n') == 1);
  CHECK(refused.output.find("hunter2") == std::string::npos);
}

TEMPLATE_TEST_CASE("the URL of the database may be in a file", "[e2e][databases]", DATABASES) {
  const TestType database;
  const ScratchDir scratch;
  const std::string file = scratch.file("database-url");
  std::ofstream(file) << database.url() << "\n";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  const RunResult made = run_server(scratch, {"--database-file", file, "--init-schema"});
  INFO(made.output);
  CHECK(made.exit_code == 0);
  ServerProcess server(scratch, {"--database-file", file});
  CHECK(wait_until([&] { return server.get("/readyz").status == 200; }));
  CHECK(server.id() == 1);
  CHECK(server.process().stop(SIGTERM) == 0);
  for (const std::string secret : {"p@ss", "p%40ss"}) {
    CHECK(server.output().find(secret) == std::string::npos);
    CHECK(made.output.find(secret) == std::string::npos);
  }
}

TEMPLATE_TEST_CASE("a server leases over TLS, and says why if it cannot", "[e2e][databases][tls]",
                   DATABASES) {
  TlsServer<TestType> database;
  const ScratchDir scratch;
  const auto url = [&](Authority& authority) {  // of a user who must use TLS
    return database.url_of("encrypted", "tls=verify-full&ca=" + authority.ca_file());
  };
  {
    ServerProcess server(scratch, {"--database", url(database.authority())});
    CHECK(wait_until([&] { return server.get("/readyz").status == 200; }));
    CHECK(server.id() == 1);
    CHECK(server.process().stop(SIGTERM) == 0);
  }
  Authority stranger;
  for (const std::string& refused :
       {url(stranger), database.url_of("encrypted", "tls=off"),
        database.url_of("known", "tls=required")}) {  // who must also have a certificate
    const ServerProcess server(scratch, {"--database", refused});
    INFO(refused);
    CHECK(server.says("no ids can be leased yet: "));
    CHECK(server.get("/readyz").status == 503);
    const Answer answer = server.get("/api/v1/id?biz_tag=order");
    CHECK(answer.status == 503);
    CHECK((answer.message().find("check tls, ca, cert and key") != std::string::npos ||
           answer.message().find("login refused") != std::string::npos));
  }
}

TEMPLATE_TEST_CASE("without the table id_leader a server is not ready, and says what to do",
                   "[e2e][databases][failover]", DATABASES) {
  const TestType database;
  const ScratchDir scratch;
  const std::vector<std::string> make = {"--database", database.url(), "--init-schema"};
  REQUIRE(run_server(scratch, make).exit_code == 0);
  RawSql(database.url()).run("DROP TABLE id_leader");
  const ServerProcess server(scratch, {"--database", database.url()});
  CHECK(server.says("no ids can be leased yet: "));
  CHECK(server.says("id_leader"));
  const Answer ready = server.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(ready.message().find("id_leader") != std::string::npos);
  const RunResult made = run_server(scratch, make);
  INFO(made.output);
  REQUIRE(made.exit_code == 0);
  CHECK(made.output.find(
            "the tables id_segments, id_leader and id_tags exist; tags created: none (") !=
        std::string::npos);
  CHECK(wait_until([&] { return server.get("/readyz").status == 200; }));
  CHECK(server.id() == 1);  // asking used up no id
}

TEST_CASE("failover = stop: both servers stop after a switch, until an operator has acted",
          "[e2e][databases][failover]") {
  const std::string range_target = "/api/v1/id/range?biz_tag=order&count=1000";
  constexpr char kMaxOfOrder[] = "SELECT max_id FROM id_segments WHERE biz_tag = 'order'";
  PostgresqlServer primary;
  const ScratchDir scratch;
  REQUIRE(run_server(scratch, {"--database", primary.url(), "--init-schema"}).exit_code == 0);
  PostgresqlServer replica(primary);
  Forwarder address(primary.port());
  const std::vector<std::string> flags = {"--database", with_port(primary.url(), address.port()),
                                          "--failover", "stop"};
  std::deque<ServerProcess> servers;
  for (int i = 0; i < 2; ++i) servers.emplace_back(scratch, flags);
  for (const ServerProcess& server : servers) CHECK(server.get(range_target).status == 200);
  replica.stop();
  const long long seen = RawSql(primary.url()).number(kMaxOfOrder);
  long long handed_out = seen;
  for (const ServerProcess& server : servers) {
    REQUIRE(wait_until([&] {
      CHECK(server.get(range_target).status == 200);
      return RawSql(primary.url()).number(kMaxOfOrder) > handed_out;
    }));
    handed_out = RawSql(primary.url()).number(kMaxOfOrder);
  }
  primary.stop(SIGKILL);
  replica.start();
  RawSql at_replica(replica.url());
  REQUIRE(at_replica.text("SELECT pg_promote()") == "t");
  address.switch_to(replica.port());

  std::string message;
  for (const ServerProcess& server : servers) {
    REQUIRE(wait_until([&] { return server.get(range_target).status == 409; }));
    for (const std::string& target : {range_target, kIdTarget}) {
      const Answer answer = server.get(target);
      CHECK(answer.status == 409);
      CHECK(answer.code() == 6);
      message = answer.message();
    }
  }
  CHECK(at_replica.number(kMaxOfOrder) <= seen);
  {
    const ServerProcess fresh(scratch, flags);
    CHECK(fresh.says("no ids can be leased yet: "));
    const Answer ready = fresh.get("/readyz");
    INFO(ready.body);
    CHECK(ready.status == 503);
    CHECK(ready.message().find("UPDATE id_leader") != std::string::npos);
  }

  INFO(message);
  REQUIRE(message.find("featherid advance TAG ID") != std::string::npos);
  const std::size_t update = message.find("UPDATE id_leader");
  REQUIRE(update != std::string::npos);
  REQUIRE(run_server(scratch, {"--database", replica.url(), "--advance",
                               "order=" + std::to_string(handed_out)})
              .exit_code == 0);
  at_replica.run(message.substr(update, message.find(';', update) - update));
  servers.clear();
  std::set<std::int64_t> ids;
  for (int i = 0; i < 2; ++i) {
    servers.emplace_back(scratch, flags);
    CHECK(servers.back().get("/readyz").status == 200);
    ids.insert(servers.back().id());
  }
  CHECK(ids.size() == 2);
  CHECK(*ids.begin() > handed_out);
}

TEST_CASE("a wait ends by its deadline with the store's message", "[e2e][databases]") {
  const std::string scheme = GENERATE("mysql", "postgresql");
  INFO(scheme);
  const ScratchDir scratch;
  const BlackHole hole;
  ServerProcess server(
      scratch,
      {"--database", scheme + "://u:hunter2@127.0.0.1:" + std::to_string(hole.port()) + "/ids",
       "--request-timeout", "500ms", "--max-parked", "2", "--drain-timeout", "1s"});
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
  std::optional<Frozen> frozen(server.process().pid());  // it gets all of them at the same time
  for (const auto& client : clients) {
    client->send("GET " + kIdTarget + " HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n");
  }
  const Stopwatch stopwatch;
  const auto begin = std::chrono::steady_clock::now();
  frozen.reset();
  std::multiset<std::string> statuses;
  for (const auto& client : clients) {
    const auto answer = client->read_to_end();
    REQUIRE(answer);
    INFO(*answer);
    statuses.insert(answer->substr(9, 3));
    CHECK(answer->find("\"code\":2,") != std::string::npos);
    CHECK(answer->find("hunter2") == std::string::npos);
  }
  CHECK(stopwatch.elapsed().count() < 0.9);
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(490));
  // One more than two may be parked, because each event loop reads the count by itself.
  CHECK(statuses.count("503") >= 1);
  CHECK(statuses.count("504") >= 2);
  CHECK(statuses.count("503") + statuses.count("504") == clients.size());
}

}  // namespace featherid::test
