// SPDX-License-Identifier: MIT
#include "server/config/config.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

Config good(std::vector<std::string> arguments, const Environment& variables = {}) {
  const ConfigOutcome outcome = read_config(std::move(arguments), variables);
  INFO(outcome.text);
  REQUIRE(outcome.config);
  return *outcome.config;
}

std::string refusal(std::vector<std::string> arguments, const Environment& variables = {}) {
  const ConfigOutcome outcome = read_config(std::move(arguments), variables);
  CHECK(!outcome.config);
  CHECK(outcome.exit_code == kExitUsage);
  CHECK(outcome.text.find('\n') == std::string::npos);
  return outcome.text;
}

std::string file_with(const test::ScratchDir& scratch, const std::string& text) {
  std::ofstream(scratch.file("ids.toml")) << text;
  return scratch.file("ids.toml");
}

}  // namespace

TEST_CASE("without any setting the server listens on 127.0.0.1:8080 over SQLite", "[config]") {
  const Config config = good({});
  CHECK(config.listen.address().to_string() == "127.0.0.1");
  CHECK(config.listen.port() == 8080);
  CHECK_FALSE(config.resp_listen);
  CHECK(config.net.resp_idle_timeout == std::chrono::seconds(0));
  CHECK(config.store.addresses == std::vector<std::string>{"sqlite3:ids.db"});
  CHECK(config.store.failover == Failover::kSkip);
  CHECK(config.store.failover_guard_ids == 100000000);
  CHECK(config.store.lossy_commits == LossyCommits::kRefuse);
  CHECK(config.max_batch_ids == 1000);
  CHECK(config.net.request_timeout == std::chrono::seconds(2));
  CHECK(config.log_files.file_bytes_max == 100000000);
  CHECK(config.log_files.keep_days == 30);
  CHECK(config.log_files.backups_max == 5);
  CHECK(validate(config.allocator).ok());
}

TEST_CASE("values of every kind are read", "[config]") {
  const Config config = good({"--listen", "[::1]:0", "--idle-timeout=1m", "--request-timeout",
                              "1500ms", "--hold", "2m", "--log-max-size", "64MiB", "--log-level",
                              "error", "--io-threads", "3", "--init-schema"});
  CHECK(config.listen.address().is_v6());
  CHECK(config.listen.port() == 0);
  CHECK(config.net.idle_timeout == std::chrono::minutes(1));
  CHECK(config.net.request_timeout == std::chrono::milliseconds(1500));
  CHECK(config.allocator.wait_timeout == std::chrono::milliseconds(1500));
  CHECK(config.allocator.hold == std::chrono::minutes(2));
  CHECK(config.log_files.file_bytes_max == 64 << 20);
  CHECK(config.log_level == spdlog::level::err);
  CHECK(config.net.io_threads == 3);
  CHECK(config.init_schema);
  CHECK(good({"--listen", "localhost:80"}).listen.address().is_loopback());
  const Config redis = good({"--resp-listen", "[::1]:6379", "--resp-idle-timeout", "24h"});
  CHECK(redis.resp_listen->address().is_v6());
  CHECK(redis.resp_listen->port() == 6379);
  CHECK(redis.net.resp_idle_timeout == std::chrono::hours(24));
  CHECK_FALSE(good({"--resp-listen="}).resp_listen);
}

TEST_CASE("blanks separate the addresses of a database", "[config]") {
  CHECK(good({"--database", " mysql://a/ids  mysql://b/ids\n"}).store.addresses ==
        std::vector<std::string>{"mysql://a/ids", "mysql://b/ids"});
  CHECK(good({"--database", "postgres://a/ids postgresql://b/ids"}).store.addresses ==
        std::vector<std::string>{"postgres://a/ids", "postgresql://b/ids"});
  CHECK(good({"--database", "sqlite3:a file.db"}).store.addresses ==
        std::vector<std::string>{"sqlite3:a file.db"});
}

TEST_CASE("the database's URLs may be in a separate file", "[config]") {
  const test::ScratchDir scratch;
  const std::string file = scratch.file("url");
  std::ofstream(file) << "mysql://u:p@a/ids\nmysql://u:p@b/ids\n";
  const std::vector<std::string> both = {"mysql://u:p@a/ids", "mysql://u:p@b/ids"};
  CHECK(good({"--database-file", file}).store.addresses == both);
  CHECK(good({}, {{"FEATHERID_DATABASE_FILE", file}}).store.addresses == both);
  CHECK(good({}, {{"FEATHERID_DATABASE_FILE", file}}).store.database_file == file);
  // An empty name or a missing file never means the default.
  CHECK(refusal({}, {{"FEATHERID_DATABASE_FILE", ""}})
            .find("FEATHERID_DATABASE_FILE: names no file") == 0);
  CHECK(refusal({"--database-file", scratch.file("none")}).find("none cannot be read (") !=
        std::string::npos);
  const std::string excluded =
      refusal({"--database", "mysql://h/d"}, {{"FEATHERID_DATABASE_FILE", file}});
  CHECK(excluded.find("FEATHERID_DATABASE_FILE: cannot be combined with --database") == 0);
  // A variable that resembles the database's is no error if a file names the database.
  CHECK_FALSE(good({"--database-file", file}, {{"FEATHERID_DB", "x"}}).warnings.empty());

  Config running = good({"--database-file", file});
  std::ofstream(file) << "mysql://v:q@a/ids mysql://u:p@b/ids";
  CHECK(take_over(good({"--database-file", file}), &running).need_restart.empty());
  std::ofstream(file) << "mysql://v:q@a/ids mysql://u:p@c/ids";
  CHECK(take_over(good({"--database-file", file}), &running).need_restart ==
        std::vector<std::string>{"--database-file"});
}

TEST_CASE("a wrong flag is named", "[config]") {
  struct Case {
    std::vector<std::string> arguments;
    std::string names;
  };
  const Case cases[] = {
      {{"--nix"}, "--nix"},
      {{"stray"}, "stray"},
      {{"--listen"}, "--listen"},
      {{"--listen", "8080"}, "--listen: '8080'"},
      {{"--listen", "127.0.0.1:65536"}, "--listen"},
      {{"--listen", "127.0.0.1:"}, "--listen"},
      {{"--listen", "127.0.0.1:80x"}, "--listen"},
      {{"--listen", "::1:80"}, "--listen"},
      {{"--listen", "[127.0.0.1]:80"}, "--listen"},
      {{"--listen", "example.org:80"}, "--listen"},
      {{"--resp-listen", "6379"}, "--resp-listen: '6379'"},
      {{"--resp-idle-timeout", "25h"}, "--resp-idle-timeout"},
      {{"--max-batch", "0"}, "--max-batch: '0' is not between 1 and 100000"},
      {{"--max-batch", "-1"}, "--max-batch"},
      {{"--max-batch", "1e3"}, "--max-batch"},
      {{"--max-batch", ""}, "--max-batch: has no value; give one between 1 and 100000"},
      {{"--max-batch", "99999999999999999999"}, "--max-batch"},
      {{"--hold", "30"}, "--hold: '30' has no unit; write 30s"},
      {{"--hold", "5\x1b[31m"}, "--hold: '5 [31m' is not between 1s and 1h"},
      {{"--hold", "1500ms"}, "--hold: '1500ms' is not a whole number of seconds"},
      {{"--hold", "2h"}, "--hold"},
      {{"--idle-timeout", "1 s"}, "--idle-timeout"},
      {{"--idle-timeout", "9223372036854775807h"}, "--idle-timeout"},
      {{"--log-max-size", "1TB"}, "--log-max-size"},
      {{"--failover", "pray"}, "--failover: 'pray' is not skip, stop or synchronous"},
      {{"--lossy-commits", "yes"}, "--lossy-commits: 'yes' is not refuse or allow"},
      {{"--log-level", "loud"}, "--log-level: 'loud' is not debug, info, warn or error"},
      {{"--admin-token-file", "/nonexistent"}, "--admin-token-file: /nonexistent"},
  };
  for (const Case& bad : cases) {
    INFO(bad.names);
    CHECK(refusal(bad.arguments).find(bad.names) != std::string::npos);
  }
}

TEST_CASE("a failover skips at least one lease, if it skips", "[config]") {
  const auto with = [](const char* database, const char* failover,
                       std::vector<std::string> sizes) -> std::vector<std::string> {
    sizes.insert(sizes.end(), {"--database", database, "--failover", failover});
    return sizes;
  };
  const std::vector<std::string> small_guard = {"--failover-guard-ids", "9999999"};
  const std::vector<std::string> large_lease = {"--lease-max-ids", "200000000"};
  for (const char* const server : {"mysql://h/d", "mariadb://h/d", "postgres://h/d"}) {
    INFO(server);
    CHECK(refusal(with(server, "skip", small_guard))
              .find("--failover-guard-ids: 9999999 is less than one lease") == 0);
    CHECK(refusal(with(server, "skip", large_lease))
              .find("can have 200000000 ids; raise it, or lower --lease-max-ids") !=
          std::string::npos);
    good(with(server, "skip", {"--failover-guard-ids", "10000000"}));
    good(with(server, "stop", small_guard));
  }
  // Under synchronous, only a Galera cluster skips.
  CHECK(refusal(with("mariadb://h/d", "synchronous", large_lease)).find("is less than one lease") !=
        std::string::npos);
  good(with("postgres://h/d", "synchronous", large_lease));
  good(with("sqlite3:ids.db", "skip", small_guard));  // it has no servers
  good(with("sqlite3:ids.db", "skip", large_lease));
}

TEST_CASE("flags come before environment before file", "[config]") {
  const test::ScratchDir scratch;
  const std::string file =
      file_with(scratch,
                "# our's\nmax-batch = 3\nlog-level = \"warn\" # \"a\\b\nhold = '40s'\n"
                "log-dir = 'a\\b \"c'\n");
  CHECK(good({"--config", file}).log_files.dir == "a\\b \"c");
  CHECK(good({"--config", file}).max_batch_ids == 3);
  CHECK(good({"--config", file}).allocator.hold == std::chrono::seconds(40));
  const Environment variables = {{"FEATHERID_CONFIG", file}, {"FEATHERID_MAX_BATCH", "5"}};
  CHECK(good({}, variables).max_batch_ids == 5);
  CHECK(good({}, variables).log_level == spdlog::level::warn);
  CHECK(good({"--max-batch", "7"}, variables).max_batch_ids == 7);
}

TEST_CASE("a wrong variable or file is named, even if it is overridden", "[config]") {
  const test::ScratchDir scratch;
  CHECK(refusal({"--max-batch", "7"}, {{"FEATHERID_MAX_BATCH", "x"}})
            .find("FEATHERID_MAX_BATCH: 'x'") != std::string::npos);
  CHECK(refusal({}, {{"FEATHERID_ADMIN_TOKEN", "a\x01z"}}).find("a\x01z") == std::string::npos);
  const auto refused_file = [&scratch](const std::string& text) {
    const std::string path = file_with(scratch, text);
    std::string why = refusal({"--config", path, "--max-batch", "7"});
    CHECK(why.find(path) != std::string::npos);
    return why;
  };
  CHECK(refused_file("max-batch = \"many\"").find("max-batch: 'many'") != std::string::npos);
  CHECK(refused_file("max-batch = true").find("max-batch") != std::string::npos);
  CHECK(refused_file("max-batch = [1, 2]").find("max-batch: has several values") !=
        std::string::npos);
  CHECK(refused_file("max-batch =").find(": line 1: ") != std::string::npos);
  CHECK(refused_file("max_batsch = 1").find("max_batsch") != std::string::npos);
  CHECK(refused_file("max-batch = 1\nmax-batch = 2").find("'max-batch'") != std::string::npos);
  CHECK(refused_file("init-schema = true").find("init-schema") != std::string::npos);
  const std::string none = scratch.file("none");
  CHECK(refusal({"--config", none}) ==
        "--config: cannot read " + none + ": No such file or directory");
  const std::string binary =
      refused_file(std::string("\x7f"
                               "ELF\0\1\2",
                               7));
  CHECK(binary.find("is not a text file") != std::string::npos);
  CHECK(binary.find("ELF") == std::string::npos);
}

TEST_CASE("a line of the file that is neither a setting nor a comment is named", "[config]") {
  const test::ScratchDir scratch;
  const auto why = [&scratch](const std::string& line) {
    const std::string file = file_with(scratch, "# ours\n\nhold = \"40s\"\n" + line + "\n");
    std::string text = refusal({"--config", file});
    const std::string where = file + ": line 4: ";
    REQUIRE(text.compare(0, where.size(), where) == 0);
    return text.substr(where.size());
  };
  for (const char* line :
       {"log-dir", "log-dir \"secret\"", "log-dir: secret", "x", "=", "; it's", "[", "log-dir =",
        "log-dir = # secret", "log-dir = secret", "log-dir = /secret", "max-batch = 1 2",
        "database = mysql://u:secret@h/ids", "log-dir = \xE2\x80\x9Csecret\xE2\x80\x9D",
        "log-dir = \"/x\"y", "log-dir = 'it's'", "log-dir = \"\\secret\"", "log-dir = 'a\""}) {
    CAPTURE(line);
    const std::string text = why(line);
    CHECK(text.find(R"(; write a setting as name = "text" or name = 1 (TOML))") !=
          std::string::npos);
    CHECK(text.find("secret") == std::string::npos);
  }
  CHECK(why("[default]") ==
        "default: sections are not supported; write each setting at the top level");
  CHECK(why("[[a]]") == "a: sections are not supported; write each setting at the top level");
  CHECK(why("log.dir = \"secret\"") ==
        "log: sections are not supported; write each setting at the top level");
  CHECK(why("log-dir = [\"secret\"]") == "log-dir: has several values; give it only one");
  for (const char* value : {"true", "1.5", "2026-11-26"}) {
    CHECK(why("log-dir = " + std::string(value)) ==
          "log-dir: the value must be text in quotes or a whole number");
  }
  CHECK(why("Log-Dir = \"secret\"") == "Log-Dir: there is no such setting");
}

TEST_CASE("a value in the file is the text between its quotes", "[config]") {
  const test::ScratchDir scratch;
  const auto log_dir = [&scratch](const std::string& line) {
    return good({"--config", file_with(scratch, line)}).log_files.dir;
  };
  CHECK(log_dir("log-dir = \"a#b\"# c") == "a#b");
  CHECK(log_dir("\t log-dir='a\\b = \"c\"' \t# \"") == "a\\b = \"c\"");
  CHECK(log_dir("log-dir = \"true\"\r\nmax-batch = 3 # three\r\n\r\n") == "true");
  CHECK(log_dir("log-dir = \"\"").empty());
  CHECK(log_dir(R"("log-dir" = "a\"\\b")") == R"(a"\b)");
}

TEST_CASE("an empty value is not the same as no value", "[config]") {
  const test::ScratchDir scratch;
  const std::string file = file_with(scratch, "database = \"\"\n");
  const std::string no_database = ": is empty; if it is not set, ids come from sqlite3:ids.db";
  CHECK(refusal({"--database", ""}) == "--database" + no_database);
  CHECK(refusal({}, {{"FEATHERID_DATABASE", ""}}) == "FEATHERID_DATABASE" + no_database);
  CHECK(refusal({}, {{"FEATHERID_DATABASE", " "}}) == "FEATHERID_DATABASE" + no_database);
  CHECK(refusal({"--config", file}) == file + ": database" + no_database);
  CHECK(refusal({"--config", ""}) == "--config: names no file");
  CHECK(refusal({}, {{"FEATHERID_CONFIG", ""}}) == "FEATHERID_CONFIG: names no file");
  CHECK(refusal({}, {{"FEATHERID_MAX_BATCH", ""}}).find("FEATHERID_MAX_BATCH: has no value") == 0);
  CHECK(good({}, {{"FEATHERID_LOG_DIR", ""}}).log_files.dir.empty());
}

TEST_CASE("--name= is an empty value, whatever stands next to it", "[config]") {
  const test::ScratchDir scratch;
  const Config config = good({"--log-dir=", "--database", "mysql://u:p@h/d",
                              "--tls-cert=", "--init-schema", "--admin-token-file="});
  CHECK(config.log_files.dir.empty());
  CHECK(config.tls_cert_file.empty());
  CHECK(config.store.addresses == std::vector<std::string>{"mysql://u:p@h/d"});
  CHECK(config.init_schema);
  for (const char* empty : {"--database=", "--config=", "--max-batch=", "--listen="}) {
    const std::string name(empty, std::string(empty).size() - 1);
    INFO(empty);
    CHECK(refusal({empty}) == refusal({name, ""}));
    CHECK(refusal({empty, "--hold", "1m"}) == refusal({name, ""}));
  }
  CHECK(!refusal({"--init-schema="}).empty());
  CHECK(good({"--log-dir=a=", "--hold", "1m"}).log_files.dir == "a=");
}

TEST_CASE("a variable that is no setting is a warning", "[config]") {
  const auto warnings = [](const char* name, std::vector<std::string> arguments = {}) {
    return good(std::move(arguments), {{name, "secret"}}).warnings;
  };
  CHECK(warnings("FEATHERID_LOGLEVEL") ==
        std::vector<std::string>{"FEATHERID_LOGLEVEL: there is no such setting"});
  CHECK(warnings("FEATHERID_DATABSE", {"--database", "mysql://h/d"}) ==
        std::vector<std::string>{"FEATHERID_DATABSE: there is no such setting"});
  for (const char* other :
       {"FEATHERID_SETUP", "FEATHERID_ADMIN_TOKEN", "DATABASE", "featherid_x"}) {
    CHECK(warnings(other).empty());
  }
}

TEST_CASE("if no database is configured, a variable that resembles its name is an error",
          "[config]") {
  const test::ScratchDir scratch;
  const std::string otherwise =
      ", or start with --database sqlite3:ids.db to take ids from that file";
  const std::string url = "mysql://u:secret@h/ids";
  const std::string why =
      "FEATHERID_DATABASE_URL: there is no such setting, and no database is configured; write "
      "FEATHERID_DATABASE" +
      otherwise;
  const Environment misspelt = {{"FEATHERID_DATABASE_URL", url}};
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"--init-schema"},
                                                    {"--advance", "order=1"},
                                                    {"--check-config"},
                                                    {"--listen", "127.0.0.1:0"}}) {
    CHECK(refusal(arguments, misspelt) == why);
  }
  // A file counts only if it names a database.
  const std::string file = file_with(scratch, "max-batch = 3\n");
  CHECK(refusal({"--config", file}, misspelt) == why);
  CHECK(refusal({}, {{"FEATHERID_CONFIG", file}, {"FEATHERID_DATABASE_URL", url}}) == why);
  CHECK(refusal({}, {{"featherid_database", url}}).find("featherid_database: ") == 0);
  CHECK(refusal({}, {{"FEATHERID_CONFIG_FILE", file}}) ==
        "FEATHERID_CONFIG_FILE: there is no such setting, and no database is configured; write "
        "FEATHERID_CONFIG" +
            otherwise);

  CHECK(good({}, {{"FEATHERID_DATABASE", url}, {"FEATHERID_DATABASE_URL", url}}).warnings.size() ==
        1);
  CHECK(good({"--database", "sqlite3:ids.db"}, misspelt).warnings.size() == 1);
  const std::string with_database = file_with(scratch, "database = \"sqlite3:a\"\n");
  CHECK(good({"--config", with_database}, misspelt).warnings.size() == 1);
}

TEST_CASE("variables that Kubernetes injects are neither errors nor warnings", "[config]") {
  const Environment injected = {{"FEATHERID_SERVICE_HOST", "10.96.0.7"},
                                {"FEATHERID_SERVICE_PORT", "8080"},
                                {"FEATHERID_SERVICE_PORT_HTTP", "8080"},
                                {"FEATHERID_PORT", "tcp://10.96.0.7:8080"},
                                {"FEATHERID_PORT_8080_TCP", "tcp://10.96.0.7:8080"},
                                {"FEATHERID_PORT_8080_TCP_ADDR", "10.96.0.7"},
                                {"FEATHERID_DB_SERVICE_HOST", "10.96.0.8"},
                                {"FEATHERID_DB_PORT", "tcp://10.96.0.8:3306"},
                                {"FEATHERID_DB_PORT_3306_TCP_ADDR", "10.96.0.8"}};
  CHECK(good({}, injected).warnings.empty());
  CHECK(good({"--database", "mysql://h/d"}, injected).warnings.empty());
}

TEST_CASE("a setting knows where it was given", "[config]") {
  const test::ScratchDir scratch;
  const std::string file = file_with(scratch, "database = \"sqlite3:a\"\n");
  const auto origin = [](const Config& config) { return config.given.at("database").origin; };
  CHECK(origin(good({})) == "--database");
  CHECK(origin(good({"--config", file})) == file + ": database");
  CHECK(origin(good({"--config", file}, {{"FEATHERID_DATABASE", "sqlite3:b"}})) ==
        "FEATHERID_DATABASE");
  CHECK(refusal({"--init-schema", "--advance", "order=1"}).find("--init-schema") !=
        std::string::npos);
}

namespace {
std::vector<Token> tokens(const std::vector<std::string>& texts) {
  std::vector<Token> tokens;
  for (const std::string& text : texts) tokens.push_back(*parse_token(text));
  return tokens;
}
}  // namespace

TEST_CASE("tokens come from the file and from the environment", "[config]") {
  const test::ScratchDir scratch;
  std::ofstream(scratch.file("tokens")) << "one\ntwo\n";
  CHECK(good({"--admin-token-file", scratch.file("tokens")}, {{"FEATHERID_ADMIN_TOKEN", "three"}})
            .tokens == tokens({"one", "two", "three"}));
  CHECK(good({}, {{"FEATHERID_ADMIN_TOKEN", " new  old\n"}}).tokens == tokens({"new", "old"}));
  CHECK(good({}, {{"FEATHERID_ADMIN_TOKEN", " "}}).tokens.empty());
}

TEST_CASE("auto-create has rules and bounds, and is off by default", "[config]") {
  const AutoCreateOptions off = good({}).auto_create;
  CHECK(off.rules.empty());
  CHECK(off.per_minute_max == 60);
  CHECK(off.tags_max == 1000);
  const AutoCreateOptions on =
      good({"--auto-create", "shop-*:50:int32 *", "--auto-create-per-minute", "5"},
           {{"FEATHERID_AUTO_CREATE_TAGS_MAX", "7"}})
          .auto_create;
  REQUIRE(on.rules.size() == 2);
  CHECK(on.rules[0].step == 50);
  CHECK(on.per_minute_max == 5);
  CHECK(on.tags_max == 7);
  CHECK(refusal({"--auto-create", "shop-*:0"}).find("--auto-create: 'shop-*:0' is not PATTERN") ==
        0);
  for (const char* bad : {"0", "10001", "x", "-1", ""}) {
    CHECK(refusal({"--auto-create-per-minute", bad}).find("--auto-create-per-minute: ") == 0);
  }
  for (const char* bad : {"0", "1000001"}) {
    CHECK(refusal({"--auto-create-tags-max", bad}).find("--auto-create-tags-max: ") == 0);
  }
}

TEST_CASE("a token file that others can read is a warning", "[config]") {
  namespace fs = std::filesystem;
  const test::ScratchDir scratch;
  const std::string path = scratch.file("tokens");
  std::ofstream(path) << "secret\n";
  const auto warnings_at = [&path](unsigned mode) {
    fs::permissions(path, static_cast<fs::perms>(mode));
    return good({"--admin-token-file", path}).warnings;
  };
  CHECK(warnings_at(0600).empty());
  for (const unsigned mode : {0604U, 0644U}) {
    const std::vector<std::string> warnings = warnings_at(mode);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("--admin-token-file: " + path) == 0);
    CHECK(warnings[0].find("secret") == std::string::npos);
  }
}

TEST_CASE("a reload applies the settings that may change and names the others", "[config]") {
  const test::ScratchDir scratch;
  std::ofstream(scratch.file("tokens")) << "new\n";
  Config running =
      good({"--hold", "40s", "--idle-timeout", "1m"}, {{"FEATHERID_ADMIN_TOKEN", "old"}});
  const Config fresh =
      good({"--hold", "50s", "--idle-timeout", "2m", "--database", "sqlite3:other.db",
            "--log-level", "warn", "--admin-token-file", scratch.file("tokens")});
  const ConfigChange change = take_over(fresh, &running);
  CHECK(change.taken_over ==
        std::vector<std::string>{"--idle-timeout", "--admin-token-file", "--log-level"});
  CHECK(change.need_restart == std::vector<std::string>{"--database", "--hold"});
  CHECK(running.net.idle_timeout == std::chrono::minutes(2));
  CHECK(running.log_level == spdlog::level::warn);
  CHECK(running.tokens == tokens({"new"}));
  CHECK(running.allocator.hold == std::chrono::seconds(40));
  CHECK(running.store.addresses == std::vector<std::string>{"sqlite3:ids.db"});

  const ConfigChange again = take_over(fresh, &running);
  CHECK(again.taken_over.empty());
  CHECK(again.need_restart == change.need_restart);
  CHECK(take_over(running, &running).need_restart.empty());
}

TEST_CASE("--help and --version succeed", "[config]") {
  for (const char* flag : {"--help", "--version"}) {
    const ConfigOutcome outcome = read_config({flag}, {});
    CHECK(!outcome.config);
    CHECK(outcome.exit_code == 0);
    CHECK(!outcome.text.empty());
  }
}

}  // namespace featherid
