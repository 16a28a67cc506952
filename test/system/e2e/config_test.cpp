// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "featherid/version.h"
#include "lib/store/soci/sqlite3_file.h"
#include "test/support/catch.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("a wrong configuration is one line on standard error", "[e2e][config]") {
  const ScratchDir scratch;
  const ServerProcess other(scratch);
  write_file(scratch.file("plain"), "");
  write_file(scratch.file("bad.toml"), "max-batch = \"many\"\n");
  const std::string taken = "127.0.0.1:" + std::to_string(other.port());
  struct Case {
    std::vector<std::string> flags;
    int exit_code;
    std::string names;
  };
  const Case cases[] = {
      {{"--nix"}, 2, "--nix"},
      {{"extra"}, 2, "extra"},
      {{"--listen", "nowhere"}, 2, "--listen: 'nowhere'"},
      {{"--max-batch", "0"}, 2, "--max-batch: '0'"},
      {{"--idle-timeout", "soon"}, 2, "--idle-timeout: 'soon'"},
      {{"--database", "oracle://x"}, 2, "--database: "},
      {{"--database", "mysql://"}, 2, "--database: "},
      {{"--config", scratch.file("none.toml")}, 2, "none.toml"},
      {{"--config", scratch.file("bad.toml")}, 2, "bad.toml: max-batch: 'many'"},
      {{"--admin-token-file", scratch.file("plain")}, 2, "--admin-token-file: "},
      {{"--listen", taken},
       1,
       "--listen: " + taken + ": cannot bind: Address already in use; stop what listens there"},
      {{"--listen", "192.0.2.1:80"}, 1, "--listen: 192.0.2.1:80"},
      {{"--log-dir", scratch.file("plain") + "/logs"}, 1, "--log-dir: "},
      {{"--log-dir", "/proc/logs"}, 1, "--log-dir: "},
      {{"--init-schema", "--database", "sqlite3:/proc/no/ids.db"}, 1, "--init-schema: "},
  };
  for (const Case& bad : cases) {
    const RunResult result = run_server(scratch, bad.flags);
    INFO(result.output);
    CHECK(result.exit_code == bad.exit_code);
    CHECK(result.output.find("featherid-server: ") != std::string::npos);
    CHECK(result.output.find(bad.names) != std::string::npos);
    CHECK(std::count(result.output.begin(), result.output.end(), '\n') == 1);
  }
}

TEST_CASE("an error names the source of the database setting", "[e2e][config]") {
  const ScratchDir scratch;
  write_file(scratch.file("ids.toml"), "database = \"oracle://x\"\n");
  const auto run = [&scratch](const std::vector<std::string>& environment) {
    const std::string output_file = scratch.file("output");
    std::filesystem::remove(output_file);
    ChildProcess process({FEATHERID_SERVER_PROGRAM}, {output_file, "", environment});
    CHECK(process.wait(std::chrono::seconds(30)) == 2);
    return read_file(output_file);
  };
  CHECK(run({"FEATHERID_DATABASE=oracle://x"}).find("featherid-server: FEATHERID_DATABASE: ") == 0);
  const std::string file = scratch.file("ids.toml");
  CHECK(run({"FEATHERID_CONFIG=" + file}).find("featherid-server: " + file + ": database: ") == 0);
}

TEST_CASE("the command that the server prints works, wherever it listens", "[e2e][config]") {
  const ScratchDir scratch;
  const bool v6 = GENERATE(false, true);
  const ServerProcess server(scratch, {"--listen", v6 ? "[::]:0" : "0.0.0.0:0"});
  const std::string address =
      std::string("http://") + (v6 ? "[::1]:" : "127.0.0.1:") + std::to_string(server.port());
  CHECK(server.says("try: curl '" + address + "/api/v1/id?biz_tag=order'\nconsole: " + address +
                    "/console/\n"));
}

TEST_CASE("a misspelt variable causes a warning", "[e2e][config]") {
  const ScratchDir scratch;
  const std::vector<std::string> misspelt = {"FEATHERID_DATABSE=mysql://ids:secret@db/ids"};
  const std::string warning = "FEATHERID_DATABSE: there is no such setting";
  CHECK(ServerProcess(scratch, {}, misspelt).says(warning));
  const RunResult checked = run_server(scratch, {"--check-config"}, misspelt);
  CHECK(checked.exit_code == 0);
  CHECK(checked.output.find(warning) != std::string::npos);
}

TEST_CASE("a misspelt database is never a new file with ids from 1", "[e2e][config]") {
  const ScratchDir scratch;
  const auto run = [&scratch](const std::string& variable, const std::string& flag) {
    const std::string output_file = scratch.file("output");
    std::filesystem::remove(output_file);
    // Through a shell, to set a working directory in which ids.db would show.
    const std::string script = "cd '" + scratch.path().string() + "' && exec '" +
                               FEATHERID_SERVER_PROGRAM + "' --listen 127.0.0.1:0 " + flag;
    ChildProcess process({"/bin/sh", "-c", script}, {output_file, "", {variable}});
    CHECK(process.wait(std::chrono::seconds(30)) == 2);
    return read_file(output_file);
  };
  for (const char* const name :
       {"FEATHERID_DATABASE_URL", "FEATHERID_DB", "FEATHERID_DATABSE", "featherid_database",
        "FEATHERID_MYSQL_URL", "FEATHERID_URL", "FEATHERID_CONFIG_FILE"}) {
    for (const char* const flag : {"", "--init-schema", "--advance order=5", "--check-config"}) {
      const std::string output = run(name + std::string("=mysql://ids:secret@db/ids"), flag);
      CAPTURE(name, flag, output);
      CHECK(output.find("featherid-server: " + std::string(name) + ": ") == 0);
      CHECK(output.find("write FEATHERID_") != std::string::npos);
      CHECK(output.find("secret") == std::string::npos);
      CHECK(std::count(output.begin(), output.end(), '\n') == 1);
    }
  }
  CHECK(!std::filesystem::exists(scratch.file("ids.db")));
}

TEST_CASE("a database file that cannot be written shows in readyz and in every answer",
          "[e2e][config]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch,
                             {"--database", "sqlite3:/proc/no/ids.db", "--request-timeout", "30s"});
  const Answer ready = server.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(ready.code() == 2);
  INFO(ready.message());
  CHECK(ready.message().find("/proc/no/ids.db") != std::string::npos);
  const Answer id = server.get("/api/v1/id?biz_tag=order");
  CHECK((id.status == 503 || id.status == 504));
  CHECK(id.code() == 2);
  CHECK(server.get("/healthz").status == 200);
}

TEST_CASE("flags come before environment before file", "[e2e][config]") {
  const ScratchDir scratch;
  write_file(scratch.file("ids.toml"), "max-batch = 3\nlog-level = \"warn\"\n");
  const std::string batch = "/api/v1/id/batch?biz_tag=order&count=";
  const std::string level = "/api/v1/log/level";
  {
    const ServerProcess server(scratch, {"--config", scratch.file("ids.toml")});
    CHECK(server.get(batch + "3").status == 200);
    CHECK(server.get(batch + "4").status == 400);
    CHECK(server.get(level).body["data"] == "warn");
  }
  const std::vector<std::string> environment = {"FEATHERID_CONFIG=" + scratch.file("ids.toml"),
                                                "FEATHERID_MAX_BATCH=5"};
  {
    const ServerProcess server(scratch, {}, environment);
    CHECK(server.get(batch + "5").status == 200);
    CHECK(server.get(batch + "6").status == 400);
    CHECK(server.get(level).body["data"] == "warn");
  }
  const ServerProcess server(scratch, {"--max-batch", "7"}, environment);
  CHECK(server.get(batch + "7").status == 200);
  CHECK(server.get(batch + "8").status == 400);
}

TEST_CASE("--advance moves a tag, and moves it back only with a second word", "[e2e][config]") {
  const ScratchDir scratch;
  const auto run = [&](const std::vector<std::string>& flags, int exit_code, const char* says) {
    const RunResult result = run_server(scratch, flags);
    CAPTURE(flags, result.output);
    CHECK(result.exit_code == exit_code);
    CHECK(result.output.find(says) != std::string::npos);
  };
  run({"--advance", "order=5000"}, 1, "--advance: there is no sqlite3:");
  CHECK(!std::filesystem::exists(scratch.file("ids.db")));
  run({"--init-schema"}, 0, "tags created: health, order, user ");
  run({"--advance", "order=5000"}, 0, "tag 'order' was at 0 and is at 5000 now");
  CHECK(ServerProcess(scratch).id() == 5001);
  run({"--advance", "order=100"}, 1, "add --allow-backward");
  run({"--advance", "order=100", "--allow-backward"}, 0, "restart every process");
  // A process that takes its first lease before it knows of the move gives that lease up (the step
  // is 1000), because it cannot tell whether the move came later.
  const std::int64_t next = ServerProcess(scratch).id();
  CAPTURE(next);
  CHECK((next == 101 || next == 1101));
  run({"--advance", "none=1"}, 1, "no such tag");
  run({"--advance", "order"}, 2, "--advance: 'order' is not TAG=ID");
  run({"--advance", ""}, 2, "--advance: '' is not TAG=ID");
  run({"--config", scratch.path().string(), "--check-config"}, 2, "is a folder, not a file");
  run({"--allow-backward"}, 2, "--advance");
}

TEST_CASE("a request moves a tag, and moves it back only with a second word", "[e2e][config]") {
  const ScratchDir scratch;
  const std::string target = "/api/v1/tag/advance?biz_tag=user&max_id=";
  {
    const ServerProcess server(scratch);
    CHECK(server.post(target + "4000").body["data"] == 4000);
    CHECK(server.get(target + "5000").body["data"] == 5000);  // until 0.3
    CHECK(server.id("user") == 5001);
    const Answer refused = server.post(target + "10");
    CHECK(refused.status == 400);
    CHECK(refused.message().find("add allow_backward=yes") != std::string::npos);
    for (const char* const bad : {"max_id=1", "biz_tag=&max_id=1"}) {
      const Answer missing = server.post(std::string("/api/v1/tag/advance?") + bad);
      CHECK(missing.status == 400);
      CHECK(missing.message().find("biz_tag is missing; add ") == 0);
    }
    CHECK(
        server.get("/api/v1/tag/advance?biz_tag=user").message().find("max_id is missing; add ") ==
        0);
    CHECK(server.post(target + "10&allow_backward=yes").body["data"] == 10);
    CHECK(server.says(R"("loopback" moved tag "user" backward from )"));
  }
  // The ids that it still held were not given back over the move. If the server saw the move before
  // it ended, it leased once more (the step is 1000) and refused the lease, because it went back.
  // The next server may give a lease up as well, as above.
  const std::int64_t next = ServerProcess(scratch).id("user");
  CAPTURE(next);
  CHECK((next == 11 || next == 1011 || next == 2011));
}

TEST_CASE("--init-schema, --check-config, --version and --help succeed", "[e2e][config]") {
  const ScratchDir scratch;
  const std::string database = " (sqlite3:" + scratch.file("ids.db") + ")\n";
  for (const char* tags : {"health, order, user", "none"}) {
    const RunResult made = run_server(scratch, {"--init-schema"});
    CHECK(made.exit_code == 0);
    std::string output = made.output;
    // On a tmpfs, which /tmp may be, a warning comes first.
    if (const std::string risk = file_system_risk(scratch.path().string()); !risk.empty()) {
      const std::size_t end_of_line = output.find('\n');
      CHECK_THAT(output.substr(0, end_of_line), Contains(risk));
      output.erase(0, end_of_line + 1);
    }
    CHECK(output ==
          "the tables id_segments and id_tags exist; tags created: " + (tags + database) +
              "featherid-server: --init-schema still works; its replacement is: featherid init\n");
  }
  CHECK(std::filesystem::exists(scratch.file("ids.db")));
  CHECK(run_server(scratch, {"--check-config"}).exit_code == 0);
  const RunResult version = run_server(scratch, {"--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.output == "featherid-server " FEATHERID_VERSION "\n");
  const RunResult help = run_server(scratch, {"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.output.find("--drain-timeout") != std::string::npos);
  CHECK(help.output.find("* SIGHUP applies a change") != std::string::npos);
}

}  // namespace featherid::test
