// SPDX-License-Identifier: MIT
// SIGHUP.
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "test/support/authority.h"
#include "test/support/catch.h"
#include "test/support/count_of.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"
#include "test/system/e2e/tls_client.h"

namespace featherid::test {

namespace {

namespace fs = std::filesystem;

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// Waits until the server has applied or refused the configuration.
void reload(ServerProcess& server, const std::string& says) {
  const int before = count_of(server.output(), says);
  server.process().signal(SIGHUP);
  INFO(server.output());
  REQUIRE(wait_until([&] { return count_of(server.output(), says) > before; }));
}
const std::string kTaken = "SIGHUP: tokens and certificate were read again";
const std::string kRefused = "the configuration stays as it was";

int set_level(const ServerProcess& server, const std::string& token) {
  const RawClient client(server.port());
  client.send(
      "GET /api/v1/log/level?level=info HTTP/1.1\r\nConnection: close\r\nHost: x\r\n"
      "Authorization: Bearer " +
      token + "\r\n\r\n");
  return std::stoi(client.read_to_end().value_or("HTTP/1.1 000").substr(9, 3));
}

const std::string kId = "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\n\r\n";

// Whether the server proves on a new connection that it has this certificate.
bool serves_by(int port, const Certificate& certificate) {
  try {
    const TlsClient client(port, certificate);
    client.send(kId);
    return client.read_until("\"data\":").has_value();
  } catch (const std::runtime_error&) {
    return false;
  }
}

void put_in_place(const Certificate& from, const Certificate& to) {
  fs::copy_file(from.cert_file, to.cert_file, fs::copy_options::overwrite_existing);
  fs::copy_file(from.key_file, to.key_file, fs::copy_options::overwrite_existing);
}

}  // namespace

TEST_CASE("SIGHUP applies the settings that may change and names the others", "[e2e][reload]") {
  const ScratchDir scratch;
  const std::string file = scratch.file("ids.toml");
  write_file(file, "log-level = \"info\"\nidle-timeout = \"1h\"\nmax-batch = 5\n");
  ServerProcess server(scratch, {"--config", file});
  const RawClient early(server.port());
  early.send(kId);
  REQUIRE(early.read_until("\"data\":1}"));

  write_file(file,
             "log-level = \"warn\"\nidle-timeout = \"100ms\"\nmax-batch = 6\n"
             "max-connections = 100\n");
  reload(server, "SIGHUP: a change of --max-batch requires a restart");
  CHECK(server.says("settings that changed: --idle-timeout, --max-connections, --log-level"));
  CHECK(server.get("/api/v1/log/level").body["data"] == "warn");
  CHECK(server.get("/api/v1/id/batch?biz_tag=order&count=6").status == 400);
  early.send(kId);  // from its next request on, it may be idle for 100 ms
  const auto answer = early.read_to_end();
  REQUIRE(answer);
  CHECK(answer->find("\"code\":0") != std::string::npos);
  write_file(file, "idle-timeout = \"1h\"\nmax-connections = 1\n");
  reload(server, "--log-level");
  std::unique_ptr<RawClient> only;
  CHECK(wait_until([&] {  // after the earlier connections have ended
    only = std::make_unique<RawClient>(server.port());
    only->send(kId);
    return only->read_until("\r\n\r\n").value_or("").find("HTTP/1.1 200") == 0;
  }));
  const RawClient second(server.port());
  CHECK(second.read_to_end().value_or("").find("HTTP/1.1 503") == 0);
  CHECK(server.process().stop() == 0);
}

TEST_CASE("a level set by a request stays until the configured one changes", "[e2e][reload]") {
  const ScratchDir scratch;
  const std::string file = scratch.file("ids.toml");
  write_file(file, "log-level = \"info\"\n");
  ServerProcess server(scratch, {"--config", file});
  const std::string level = "/api/v1/log/level";
  REQUIRE(server.get(level + "?level=debug").status == 200);
  reload(server, kTaken);
  CHECK(server.get(level).body["data"] == "debug");
  write_file(file, "log-level = \"error\"\n");
  server.process().signal(SIGHUP);
  CHECK(wait_until([&] { return server.get(level).body["data"] == "error"; }));
}

TEST_CASE("SIGHUP rotates tokens, and a bad file changes nothing", "[e2e][reload]") {
  const ScratchDir scratch;
  const std::string tokens = scratch.file("tokens");
  const std::string file = scratch.file("ids.toml");
  write_file(tokens, "old\n");
  write_file(file, "log-level = \"info\"\n");
  ServerProcess server(scratch, {"--config", file, "--admin-token-file", tokens});
  CHECK(set_level(server, "old") == 200);
  CHECK(set_level(server, "new") == 401);
  write_file(tokens, "new\nold\n");
  reload(server, kTaken);
  CHECK(set_level(server, "old") == 200);
  CHECK(set_level(server, "new") == 200);
  write_file(tokens, "new\n");
  reload(server, kTaken);
  CHECK(set_level(server, "old") == 401);
  CHECK(set_level(server, "new") == 200);

  for (const char* bad : {"", "# none\n", "two words\n"}) {
    write_file(tokens, bad);
    reload(server, kRefused);
    CHECK(set_level(server, "new") == 200);
    CHECK(set_level(server, "") == 401);
  }
  fs::remove(tokens);
  reload(server, kRefused);
  CHECK(set_level(server, "new") == 200);

  // One bad setting blocks all the others.
  write_file(tokens, "newest\n");
  write_file(file, "log-level = \"loud\"\n");
  reload(server, kRefused);
  CHECK(set_level(server, "new") == 200);
  CHECK(set_level(server, "newest") == 401);
}

TEST_CASE("a new certificate serves new connections, and a bad one changes nothing",
          "[e2e][reload]") {
  const ScratchDir scratch;
  const Certificate first(scratch, "first");
  const Certificate second(scratch, "second");
  const Certificate live(scratch, "live");
  put_in_place(first, live);
  ServerProcess server(scratch, {"--tls-cert", live.cert_file, "--tls-key", live.key_file});
  CHECK(serves_by(server.port(), first));
  CHECK(!serves_by(server.port(), second));
  const TlsClient kept(server.port(), first);
  kept.send(kId);
  REQUIRE(kept.read_until("\"data\":"));

  put_in_place(second, live);
  reload(server, kTaken);
  CHECK(serves_by(server.port(), second));
  CHECK(!serves_by(server.port(), first));
  kept.send(kId);
  CHECK(kept.read_until("\"data\":"));

  fs::copy_file(first.key_file, live.key_file, fs::copy_options::overwrite_existing);
  reload(server, "is not the key of the certificate");
  CHECK(serves_by(server.port(), second));
  const Certificate rsa(scratch, "rsa", Certificate::Kind::kRsa);
  fs::copy_file(rsa.key_file, live.key_file, fs::copy_options::overwrite_existing);
  reload(server, "is not the key of the certificate");
  CHECK(serves_by(server.port(), second));
  put_in_place(rsa, live);
  reload(server, kTaken);
  CHECK(serves_by(server.port(), rsa));
  fs::copy_file(second.key_file, live.key_file, fs::copy_options::overwrite_existing);
  reload(server, "is not the key of the certificate");
  CHECK(serves_by(server.port(), rsa));
  put_in_place(second, live);
  reload(server, kTaken);
  write_file(live.cert_file, "-----BEGIN CERTIFICATE-----\nnonsense\n");
  reload(server, "contains no usable certificate");
  CHECK(serves_by(server.port(), second));
  fs::remove(live.cert_file);
  reload(server, "No such file");
  CHECK(serves_by(server.port(), second));
  put_in_place(first, live);
  reload(server, kTaken);
  CHECK(serves_by(server.port(), first));
  CHECK(server.process().stop() == 0);
}

TEST_CASE("the metrics say when the certificate expires, also after a reload", "[e2e][reload]") {
  const ScratchDir scratch;
  const Certificate live(scratch, "live");  // for two days
  ServerProcess server(scratch, {"--tls-cert", live.cert_file, "--tls-key", live.key_file});
  const auto expiry = [&] {
    const std::string file = scratch.file("metrics");
    run({"curl", "-sSk", "--fail", "--max-time", "20", "-o", file,
         "https://127.0.0.1:" + std::to_string(server.port()) + "/metrics"});
    const std::string text = read_file(file);
    const std::string name = "\nfeatherid_tls_certificate_expiry_timestamp_seconds ";
    const std::size_t at = text.find(name);
    REQUIRE(at != std::string::npos);
    return std::stod(text.substr(at + name.size()));
  };
  const auto now = static_cast<double>(std::time(nullptr));
  CHECK(expiry() > now + 47 * 3600);
  CHECK(expiry() <= now + 48 * 3600);

  Authority authority;
  const auto issued = authority.issue("IP:127.0.0.1");
  fs::copy_file(issued.cert_file, live.cert_file, fs::copy_options::overwrite_existing);
  fs::copy_file(issued.key_file, live.key_file, fs::copy_options::overwrite_existing);
  reload(server, kTaken);
  CHECK(expiry() == 2524607999);  // 2049-12-31 23:59:59 UTC
}

TEST_CASE("logs are reopened even if the configuration is bad", "[e2e][reload]") {
  const ScratchDir scratch;
  const std::string file = scratch.file("ids.toml");
  write_file(file, "");
  ServerProcess server(scratch, {"--config", file, "--log-dir", scratch.file("logs")});
  fs::path log;
  for (const auto& entry : fs::directory_iterator(scratch.file("logs"))) {
    if (entry.path().extension() == ".log") log = entry.path();
  }
  fs::rename(log, scratch.file("moved.log"));
  write_file(file, "nonsense = 1\n");
  reload(server, kRefused);
  CHECK(wait_until([&] { return read_file(log).find("nonsense") != std::string::npos; }));
}

}  // namespace featherid::test
