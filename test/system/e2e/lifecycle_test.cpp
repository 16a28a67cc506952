// SPDX-License-Identifier: MIT
#include <httplib.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/store/soci/sqlite3_file.h"
#include "test/support/catch.h"
#include "test/support/ports.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/full_pipe.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

std::filesystem::path log_file(const std::filesystem::path& dir) {
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().extension() == ".log") return entry.path();
  }
  return {};
}

// Waits until the log has the warning of the database's file system, if there is one: /tmp may be a
// tmpfs. It comes with the first use of the database, soon after the server is ready.
void await_warning_of_start(const ScratchDir& scratch, const std::string& logs) {
  const std::string risk = file_system_risk(scratch.path().string());
  REQUIRE(wait_until([&] { return read_file(log_file(logs)).find(risk) != std::string::npos; }));
}

// A server with one of its streams redirected, as by a shell. The other goes to a file.
std::unique_ptr<ChildProcess> start_with(const std::string& redirection,
                                         const std::vector<std::string>& flags,
                                         const std::string& output_file) {
  std::vector<std::string> argv = {"sh", "-c", "exec \"$0\" \"$@\" " + redirection,
                                   FEATHERID_SERVER_PROGRAM};
  argv.insert(argv.end(), flags.begin(), flags.end());
  return std::make_unique<ChildProcess>(argv, ChildProcess::Options{output_file, "", {}});
}

}  // namespace

TEST_CASE("SIGTERM gives tails back, and the next server continues without a gap",
          "[e2e][lifecycle]") {
  const ScratchDir scratch;
  for (int round = 0; round < 3; ++round) {
    ServerProcess server(scratch);
    CHECK(server.id() == 2 * round + 1);
    CHECK(server.id() == 2 * round + 2);
    CHECK(server.process().stop(round == 1 ? SIGINT : SIGTERM) == 0);
    CHECK(server.output().find("unused ids went back") != std::string::npos);
  }
}

TEST_CASE("kill -9 loses ids and repeats none", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  std::set<std::int64_t> seen;
  int count = 0;
  for (int round = 0; round < 5; ++round) {
    ServerProcess server(scratch);
    for (int i = 0; i < 50; ++i, ++count) seen.insert(server.id());
    server.process().signal(SIGKILL);
    CHECK(server.process().wait(std::chrono::seconds(10)) == 128 + SIGKILL);
  }
  CHECK(seen.size() == static_cast<std::size_t>(count));
}

TEST_CASE("a limit on the size of files is an outage, not a crash", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  ServerProcess server(scratch, {"--request-timeout", "1s"});
  const std::int64_t before = server.id();
  const auto limit_files = [&server](rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    REQUIRE(::prlimit(server.process().pid(), RLIMIT_FSIZE, &limit, nullptr) == 0);
  };
  const std::string more_than_it_holds = "/api/v1/id/range?biz_tag=order&count=100000";
  limit_files(0);
  const Answer refused = server.get(more_than_it_holds);
  INFO(refused.body);
  CHECK(refused.code() == 2);
  limit_files(RLIM_INFINITY);
  CHECK(wait_until([&] { return server.get(more_than_it_holds).status == 200; }));
  CHECK(server.id() > before + 100000);
  CHECK(server.process().stop() == 0);
}

TEST_CASE("a drain answers pending requests and closes idle connections", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  ServerProcess server(scratch, {"--drain-timeout", "5s"});
  const std::string request = "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\n\r\n";
  const RawClient idle(server.port());
  idle.send(request);
  REQUIRE(idle.read_until("\"data\":1}"));
  const RawClient busy(server.port());
  busy.send(request + request.substr(0, 10));  // the second has begun
  REQUIRE(busy.read_until("\"data\":2}"));

  server.process().signal(SIGTERM);
  CHECK(idle.read_to_end() == "");
  busy.send(request.substr(10));
  const auto answer = busy.read_to_end();
  REQUIRE(answer);
  CHECK(answer->find("\"data\":3}") != std::string::npos);
  CHECK(answer->find("Connection: close") != std::string::npos);
  CHECK(server.process().wait(std::chrono::seconds(5)) == 0);
}

TEST_CASE("a server that drains is not ready", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  ServerProcess server(scratch);
  REQUIRE(server.get("/readyz").status == 200);
  const std::string request = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
  const RawClient asking(server.port());
  asking.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + request.substr(0, 10));
  REQUIRE(asking.read_until("\"ok\"}"));
  server.process().signal(SIGTERM);
  REQUIRE(server.says("SIGTERM: stopping"));
  asking.send(request.substr(10));
  const auto answer = asking.read_to_end();
  REQUIRE(answer);
  CHECK(answer->find("HTTP/1.1 503 ") == 0);
  CHECK(answer->find("the server is stopping") != std::string::npos);
}

TEST_CASE("a log folder that breaks while the server serves costs only lines", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const std::string logs = scratch.file("logs");
  ServerProcess server(scratch, {"--log-dir", logs, "--log-level", "debug"});
  CHECK(server.id() == 1);
  REQUIRE(wait_until([&] {  // it makes the folder again if a line is still on its way
    std::error_code not_empty;
    std::filesystem::remove_all(logs, not_empty);
    std::ofstream(logs) << "in the way";  // prevents a new folder
    return std::filesystem::is_regular_file(logs);
  }));
  const std::string none_lost = "featherid_log_lines_dropped_total{reason=\"not_writable\"} 0\n";
  httplib::Client client("127.0.0.1", server.port());
  CHECK(wait_until([&] {
    server.id();
    const auto metrics = client.Get("/metrics");
    return metrics && metrics->body.find(none_lost) == std::string::npos;
  }));
  std::filesystem::remove(logs);
  CHECK(wait_until([&] {
    server.id();
    return std::filesystem::is_directory(logs) && !log_file(logs).empty() &&
           read_file(log_file(logs)).find("log lines could not be written") != std::string::npos;
  }));
  CHECK(server.process().stop() == 0);
}

TEST_CASE("the drain ends in time, and a second signal ends it at once", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const bool twice = GENERATE(false, true);
  ServerProcess server(scratch, {"--drain-timeout", twice ? "1m" : "500ms"});
  const RawClient stuck(server.port());
  stuck.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET");
  REQUIRE(stuck.read_until("\"ok\"}"));
  server.process().signal(SIGTERM);
  if (twice) {
    REQUIRE(wait_until([&] { return server.output().find("stopping") != std::string::npos; }));
    server.process().signal(SIGTERM);
  }
  CHECK(server.process().wait(std::chrono::seconds(8)) == 0);
}

TEST_CASE("standard error that nobody reads does not block the server", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const bool many = GENERATE(false, true);  // signals
  const FullPipe pipe(scratch.file("pipe"));
  const std::string output = scratch.file("stdout");
  const auto server =
      start_with("2>" + pipe.path(),
                 {"--database", "sqlite3:" + scratch.file("ids.db"), "--listen", "127.0.0.1:0",
                  "--log-dir", scratch.file("logs"), "--drain-timeout", "1s"},
                 output);
  REQUIRE(wait_until([&] { return read_file(output).find("ready on") != std::string::npos; }));
  const std::string ready = read_file(output);
  const int port = std::stoi(ready.substr(ready.find("127.0.0.1:") + 10));
  const std::string lost = "featherid_log_lines_dropped_total{reason=\"not_writable\"} ";
  httplib::Client client("127.0.0.1", port);
  CHECK(wait_until([&] {
    const auto metrics = client.Get("/metrics");
    return metrics && metrics->body.find(lost) != std::string::npos &&
           metrics->body.find(lost + "0\n") == std::string::npos;
  }));
  const std::string logs = scratch.file("logs");
  CHECK(wait_until(
      [&] { return read_file(log_file(logs)).find("listening on") != std::string::npos; }));
  server->signal(SIGTERM);
  std::optional<int> code;
  REQUIRE(wait_until(
      [&] {
        if (many) server->signal(SIGTERM);
        code = server->wait(std::chrono::milliseconds(0));
        return code.has_value();
      },
      std::chrono::seconds(8)));
  CHECK(code == 0);
  CHECK(read_file(log_file(logs)).find("unused ids went back") != std::string::npos);
}

TEST_CASE("standard output that nobody reads does not block the server", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const FullPipe pipe(scratch.file("pipe"));
  const std::string output = scratch.file("stderr");
  const auto server = start_with(
      ">" + pipe.path(),
      {"--database", "sqlite3:" + scratch.file("ids.db"), "--listen", "127.0.0.1:0"}, output);
  const std::string listening = "listening on http://127.0.0.1:";
  REQUIRE(wait_until([&] { return read_file(output).find(listening) != std::string::npos; }));
  const std::string log = read_file(output);
  httplib::Client client("127.0.0.1",
                         std::stoi(log.substr(log.find(listening) + listening.size())));
  const auto answer = client.Get("/api/v1/id?biz_tag=order");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(server->stop() == 0);
}

TEST_CASE("if standard error is closed, its text goes nowhere else", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const std::string output = scratch.file("stdout");
  const auto server = start_with(
      "2>&-", {"--database", "sqlite3:" + scratch.file("ids.db"), "--listen", "127.0.0.1:0"},
      output);
  REQUIRE(wait_until([&] { return read_file(output).find("ready on") != std::string::npos; }));
  const std::string link = "/proc/" + std::to_string(server->pid()) + "/fd/2";
  CHECK(std::filesystem::read_symlink(link) == "/dev/null");
  CHECK(server->stop() == 0);
}

TEST_CASE("the server ends on an error even if nobody reads it", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const FullPipe pipe(scratch.file("pipe"));
  const auto server = start_with("2>" + pipe.path(), {"--bogus"}, scratch.file("stdout"));
  CHECK(server->wait(std::chrono::seconds(8)) == 2);
}

TEST_CASE("a late reader of standard error gets the number of lost lines", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  FullPipe pipe(scratch.file("pipe"));
  const std::string output = scratch.file("stdout");
  const auto server = start_with(
      "2>" + pipe.path(),
      {"--database", "sqlite3:" + scratch.file("ids.db"), "--listen", "127.0.0.1:0", "--log-dir",
       scratch.file("logs"), "--max-connections", "100"},  // no warning of open files
      output);
  const std::string logs = scratch.file("logs");
  REQUIRE(wait_until([&] { return read_file(output).find("ready on") != std::string::npos; }));
  REQUIRE(wait_until(
      [&] { return read_file(log_file(logs)).find("listening on") != std::string::npos; }));
  await_warning_of_start(scratch, logs);
  pipe.take_all();
  server->signal(SIGHUP);
  // The second is the warning of the start.
  const std::string lines = file_system_risk(scratch.path().string()).empty() ? "1" : "2";
  CHECK(wait_until([&] {
    return pipe.take_all().find("warn " + lines + " log lines could not be written\n") !=
           std::string::npos;
  }));
  CHECK(server->stop() == 0);
}

TEST_CASE("the log level changes at run time and lasts, and SIGHUP reopens a moved log",
          "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const std::string logs = scratch.file("logs");
  ServerProcess server(scratch, {"--log-dir", logs, "--log-level", "warn"});
  await_warning_of_start(scratch, logs);
  const auto move_log_and_hup = [&] {
    const std::filesystem::path file = log_file(logs);
    REQUIRE(!file.empty());
    std::filesystem::rename(file, scratch.file("moved.log"));
    server.process().signal(SIGHUP);
    REQUIRE(wait_until([&] { return std::filesystem::exists(file); }));
    return file.string();
  };
  const std::string level = "/api/v1/log/level";
  CHECK(server.get(level).body["data"] == "warn");
  CHECK(read_file(move_log_and_hup()).empty());  // it logs that at info

  CHECK(server.get(level + "?level=info").body["data"] == "info");
  const std::string file = move_log_and_hup();
  CHECK(wait_until([&] { return read_file(file).find("SIGHUP") != std::string::npos; }));
  CHECK(server.get(level).body["data"] == "info");
}

TEST_CASE("two servers do not share a log folder", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch, {"--log-dir", scratch.file("logs")});
  const RunResult second = run_server(scratch, {"--log-dir", scratch.file("logs")});
  CHECK(second.exit_code == 1);
  CHECK(second.output.find("in use by another server") != std::string::npos);
}

TEST_CASE("store calls that hang or queue delay neither /readyz nor the end", "[e2e][lifecycle]") {
  const ScratchDir scratch;
  const BlackHole database;
  const bool twice = GENERATE(false, true);
  ServerProcess server(
      scratch,
      {"--database", "mysql://u:p@127.0.0.1:" + std::to_string(database.port()) + "/ids",
       "--call-timeout", "2s", "--request-timeout", "15s", "--drain-timeout", twice ? "1m" : "1s"});
  REQUIRE(server.says("no ids can be leased yet"));  // what /readyz knows for a second from now
  std::list<RawClient> clients;
  REQUIRE(wait_until([&] {
    clients.emplace_back(server.port())
        .send(
            "POST /api/v1/tag/advance?biz_tag=order&max_id=9 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto answer = clients.back().read_some(std::chrono::milliseconds(100));
    return answer && answer->find("too many calls are waiting") != std::string::npos;
  }));
  const std::string why = server.get("/readyz").message();
  CAPTURE(why);
  CHECK(why.find("not ready: ") == 0);
  CHECK(why.find("the store has not answered in time") == std::string::npos);

  server.process().signal(SIGTERM);
  if (twice) {
    REQUIRE(server.says("SIGTERM: stopping"));
    server.process().signal(SIGTERM);
  }
  CHECK(server.process().wait(std::chrono::seconds(20)) == 0);  // all of them take 32 s
  CHECK(server.says("stopped; "));
}

TEST_CASE("a line that standard error takes in part ends before the next one and is reported once",
          "[e2e][lifecycle]") {
  const ScratchDir scratch;
  FullPipe pipe(scratch.file("pipe"));
  const std::string output = scratch.file("stdout");
  const std::string logs = scratch.file("logs");
  const auto server = start_with("2>" + pipe.path(),
                                 {"--database", "sqlite3:" + scratch.file("ids.db"), "--listen",
                                  "127.0.0.1:0", "--log-dir", logs, "--log-level", "debug"},
                                 output);
  const auto logs_to_file = [&](const std::string& text) {  // and so has tried standard error
    return wait_until([&] { return read_file(log_file(logs)).find(text) != std::string::npos; });
  };
  REQUIRE(wait_until([&] { return read_file(output).find("ready on") != std::string::npos; }));
  REQUIRE(logs_to_file("listening on"));
  await_warning_of_start(scratch, logs);
  const std::string ready = read_file(output);
  httplib::Client client("127.0.0.1", std::stoi(ready.substr(ready.find("127.0.0.1:") + 10)));
  pipe.take_page();
  const std::string tag(6000, 'a');
  REQUIRE(client.Get("/api/v1/id?biz_tag=" + tag));
  REQUIRE(logs_to_file(tag));
  pipe.take_all();
  REQUIRE(client.Get("/healthz"));
  CHECK(wait_until([&] { return pipe.take_all().find("GET /healthz ") != std::string::npos; }));
  const std::string& taken = pipe.take_all();
  CHECK(std::regex_search(taken,
                          std::regex("aaa\n[-0-9]+ [:.0-9]+ warn 1 log lines could not be written\n"
                                     "[-0-9]+ [:.0-9]+ debug GET /healthz ")));
  CHECK(server->stop() == 0);
}

}  // namespace featherid::test
