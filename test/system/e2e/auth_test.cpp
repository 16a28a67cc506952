// SPDX-License-Identifier: MIT
// Who may change anything. Tries every known way around the rule.
#include <arpa/inet.h>
#include <httplib.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

const std::string kLevel = "/api/v1/log/level";
const std::string kLocal = "Host: 127.0.0.1\r\n";

// The status of a request to set the level. `headers` ends each of its lines.
int try_change(const ServerProcess& server, const std::string& headers,
               const std::string& query = "level=debug") {
  const RawClient client(server.port());
  client.send("GET " + kLevel + "?" + query + " HTTP/1.1\r\nConnection: close\r\n" + headers +
              "\r\n");
  const std::string answer = client.read_to_end().value_or("");
  return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
}

std::string level_of(const ServerProcess& server) {
  return server.get(kLevel).body.value("data", "");
}

std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

// Sends the token wherever a request can contain it, correctly and by mistake.
void leave_traces(const ServerProcess& server, const std::string& token) {
  CHECK(try_change(server, kLocal + bearer(token)) == 200);
  try_change(server, kLocal + bearer(token + "x"));
  try_change(server, kLocal + "Authorization: Basic " + token + "\r\n");
  try_change(server, kLocal + bearer(token) + bearer(token));
  try_change(server, kLocal + bearer(token + "\x01"));
  try_change(server, kLocal + "Authorization : Bearer " + token + "\r\n");
  try_change(server, kLocal + "Traceparent: " + token + "\r\nUser-Agent: " + token + "\r\n");
  try_change(server, kLocal, "level=debug&token=" + token);
  try_change(server, kLocal, "level=" + token);
  try_change(server, kLocal, token);
  try_change(server, "Host: " + token + "\r\n");
}

// Everything that the server has printed and written to its log folder.
std::string everything_logged(const ServerProcess& server, const std::string& log_dir) {
  std::string text = server.output();
  for (const auto& entry : std::filesystem::directory_iterator(log_dir)) {
    if (entry.path().extension() == ".log") text += read_file(entry.path());
  }
  return text;
}

}  // namespace

TEST_CASE("without a token, a request through a proxy changes nothing", "[e2e][auth]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (const char* line :
       {"Forwarded: for=127.0.0.1", "forwarded: for=\"[::1]\"", "Via: 1.1 proxy", "VIA: 1.1 p",
        "X-Real-IP: 127.0.0.1", "x-real-ip: ::1", "X-Forwarded-For: 127.0.0.1",
        "X-FORWARDED-FOR: 127.0.0.1", "x-forwarded-for:127.0.0.1", "X-Forwarded-For:",
        "X-Forwarded-Host: localhost", "X-Forwarded-Proto: http", "X-Forwarded-Port: 80",
        "X-Forwarded-Server: x", "X-Forwarded-By: x", "X-Forwarded-For: 127.0.0.1, 127.0.0.1",
        "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.1",
        "Connection: X-Forwarded-For\r\nX-Forwarded-For: 127.0.0.1"}) {
    INFO(line);
    CHECK(try_change(server, kLocal + line + "\r\n") == 403);
  }
  // Another parser's names for the same. Here they are no headers at all.
  for (const char* line : {"X-Forwarded-For : 127.0.0.1", " X-Forwarded-For: 127.0.0.1"}) {
    CHECK(try_change(server, kLocal + line + "\r\n") == 400);
  }
  CHECK(level_of(server) == "info");
  CHECK(try_change(server, kLocal) == 200);
  CHECK(level_of(server) == "debug");
}

TEST_CASE("without a token, a page of another site changes nothing", "[e2e][auth]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const std::string port = std::to_string(server.port());
  const std::string evil_hosts[] = {"evil.example",
                                    "evil.example:" + port,
                                    "127.0.0.1.evil.example",
                                    "localhost.evil.example",
                                    "evil-localhost",
                                    "10.0.0.1",
                                    "[::2]",
                                    "[::ffff:10.0.0.1]",
                                    "0.0.0.0",
                                    "127.evil"};
  for (const std::string& host : evil_hosts) {  // names that point to 127.0.0.1 now
    INFO(host);
    CHECK(try_change(server, "Host: " + host + "\r\n") == 403);
  }
  for (const char* host :
       {"localhost@evil.example", "localhost, evil.example", "localhost/evil", "localhost evil"}) {
    INFO(host);
    CHECK(try_change(server, "Host: " + std::string(host) + "\r\n") == 400);
  }
  CHECK(try_change(server, "Host: localhost\r\nHost: localhost\r\n") == 400);
  CHECK(try_change(server, "") == 400);

  const std::string here = "127.0.0.1:" + port;
  for (const std::string& line :
       {std::string("Origin: http://evil.example"), std::string("Origin: null"),
        "Origin: https://" + here, "Origin: http://" + here + ".evil.example",
        "origin: http://localhost:" + port, std::string("Origin: http://127.0.0.1:1"),
        std::string("Sec-Fetch-Site: cross-site"), std::string("Sec-Fetch-Site: same-site"),
        std::string("sec-fetch-site: Cross-Site"), std::string("Sec-Fetch-Site: none, cross-site"),
        std::string("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site"),
        std::string("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Site: none")}) {
    INFO(line);
    CHECK(try_change(server, line + "\r\nHost: " + here + "\r\n") == 403);
  }
  CHECK(try_change(server, "Host: " + here + "\r\nOrigin: http://" + here +
                               "\r\nOrigin: http://evil.example\r\n") == 400);
  CHECK(level_of(server) == "info");
  CHECK(try_change(server, "Host: " + here + "\r\nOrigin: http://" + here +
                               "\r\nSec-Fetch-Site: same-origin\r\n") == 200);
  CHECK(try_change(server, "Host: localhost:" + port + "\r\nSec-Fetch-Site: none\r\n") == 200);
}

TEST_CASE("without a token, the host of a target in absolute form is the one that counts",
          "[e2e][auth]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const auto try_target = [&server](const std::string& origin, const std::string& headers) {
    const RawClient client(server.port());
    client.send("GET " + origin + kLevel + "?level=debug HTTP/1.1\r\nConnection: close\r\n" +
                headers + "\r\n");
    const std::string answer = client.read_to_end().value_or("");
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  };
  const std::string evil = "Host: evil.example\r\n";
  for (const char* origin :
       {"http://evil.example", "HTTP://evil.example:80", "https://evil.example",
        "http://localhost.evil.example", "http://10.0.0.1", "http://127.evil"}) {
    INFO(origin);
    CHECK(try_target(origin, kLocal) == 403);
    CHECK(try_target(origin, "Host:\r\n") == 403);
  }
  for (const char* origin :
       {"http://localhost@evil.example", "http://evil.example@localhost", "http://localhost:x",
        "http://", "http://localhost#", "http://localhost\\.evil.example", "http:/localhost"}) {
    INFO(origin);
    CHECK(try_target(origin, kLocal) == 400);
  }
  CHECK(try_target("http://localhost", "") == 400);  // Host is still required
  CHECK(try_target("http://localhost", kLocal + kLocal) == 400);
  CHECK(try_target("http://localhost", kLocal + "Via: 1.1 proxy\r\n") == 403);
  CHECK(try_target("http://localhost", kLocal + "Origin: http://127.0.0.1\r\n") == 403);
  CHECK(level_of(server) == "info");
  CHECK(try_target("http://localhost", evil + "Origin: http://localhost\r\n") == 200);
  CHECK(try_target("http://[::1]:1", evil) == 200);
  CHECK(level_of(server) == "debug");
}

namespace {

// An address of this machine that is not a loopback address.
std::string own_address() {
  ifaddrs* all = nullptr;
  REQUIRE(::getifaddrs(&all) == 0);
  char text[INET_ADDRSTRLEN] = "";
  for (const ifaddrs* one = all; one != nullptr && text[0] == '\0'; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    if ((one->ifa_flags & IFF_LOOPBACK) != 0 || (one->ifa_flags & IFF_UP) == 0) continue;
    const auto* const address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
  }
  ::freeifaddrs(all);
  return text;
}

}  // namespace

TEST_CASE("without a token, a client from elsewhere changes nothing", "[e2e][auth]") {
  const std::string elsewhere = own_address();
  if (elsewhere.empty()) {
    WARN("SKIPPED: this machine has only loopback addresses");
    return;
  }
  const ScratchDir scratch;
  const ServerProcess server(scratch, {"--listen", "0.0.0.0:0"});
  httplib::Client client(elsewhere, server.port());
  const httplib::Headers local = {{"Host", "localhost"}};
  const std::string advance = "/api/v1/tag/advance?biz_tag=order&max_id=5000";
  for (const auto& answer : {client.Get(kLevel + "?level=debug", local), client.Get(advance, local),
                             client.Post(advance, local, "", "x/y")}) {
    REQUIRE(answer);
    CHECK(answer->status == 403);
    CHECK(answer->body.find("from the server's own machine") != std::string::npos);
  }
  CHECK(level_of(server) == "info");
  CHECK(server.id() == 1);
}

TEST_CASE("a loopback address is detected if IPv4 comes as IPv6", "[e2e][auth]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch, {"--listen", "[::]:0"});
  CHECK(try_change(server, kLocal) == 200);  // from ::ffff:127.0.0.1
  CHECK(try_change(server, kLocal + "X-Forwarded-For: ::ffff:127.0.0.1\r\n") == 403);
  CHECK(try_change(server, "Host: evil.example\r\n") == 403);
}

TEST_CASE("if a token is configured, only its bearer may change anything", "[e2e][auth]") {
  const ScratchDir scratch;
  const std::string token = "a-Secret-token";
  const ServerProcess server(scratch, {}, {"FEATHERID_ADMIN_TOKEN=next-token " + token});
  CHECK(server.get(kLevel).status == 200);
  for (const std::string& line :
       {std::string(), std::string("Authorization:\r\n"), std::string("Authorization: Bearer\r\n"),
        bearer("wrong"), bearer(token + "x"), bearer(token.substr(1)), bearer(token + token),
        bearer("A-SECRET-TOKEN"), bearer("next-token " + token), bearer(" " + token),
        bearer("\"" + token + "\""), "Authorization: Basic " + token + "\r\n",
        "Authorization: " + token + "\r\n", "Authorization: Bearer=" + token + "\r\n",
        "Proxy-Authorization: Bearer " + token + "\r\n",
        "X-Authorization: Bearer " + token + "\r\n", "Cookie: token=" + token + "\r\n"}) {
    INFO(line);
    CHECK(try_change(server, kLocal + line) == 401);
  }
  CHECK(try_change(server, kLocal + bearer(token) + bearer(token)) == 400);
  CHECK(try_change(server, kLocal + bearer("wrong") + bearer(token)) == 400);
  CHECK(try_change(server, kLocal, "level=debug&token=" + token) == 401);
  CHECK(try_change(server, kLocal, "level=debug&access_token=" + token) == 401);
  CHECK(try_change(server, kLocal, "level=debug&Authorization=Bearer%20" + token) == 401);
  CHECK(level_of(server) == "info");

  CHECK(try_change(server, kLocal + bearer(token)) == 200);
  CHECK(try_change(server, kLocal + bearer("next-token")) == 200);
  CHECK(try_change(server, kLocal + "authorization: bEARER " + token + "\r\n") == 200);
  // With a token, the origin of the request does not matter.
  CHECK(try_change(server, "Host: ids.example\r\nX-Forwarded-For: 192.0.2.1\r\n" + bearer(token)) ==
        200);
}

TEST_CASE("no token reaches a log", "[e2e][auth]") {
  const ScratchDir scratch;
  const std::string token = "tOkEn-1-of-the-file";
  const std::string next = "tOkEn-2-of-the-environment";
  const std::string logs = scratch.file("logs");
  std::ofstream(scratch.file("tokens")) << token << '\n';
  std::filesystem::permissions(scratch.file("tokens"), std::filesystem::perms(0644));
  ServerProcess server(
      scratch,
      {"--log-level", "debug", "--log-dir", logs, "--admin-token-file", scratch.file("tokens")},
      {"FEATHERID_ADMIN_TOKEN=" + next});
  leave_traces(server, token);
  leave_traces(server, next);
  std::ofstream(scratch.file("tokens")) << token << " and more\n";
  server.process().signal(SIGHUP);
  REQUIRE(wait_until([&] { return server.output().find("stays as it was") != std::string::npos; }));
  CHECK(server.process().stop() == 0);
  const std::string logged = everything_logged(server, logs);
  INFO(logged);
  CHECK(logged.find("/api/v1/log/level") != std::string::npos);  // there are access logs
  CHECK(logged.find("can be read by users other than its owner") != std::string::npos);
  CHECK(logged.find("tOkEn-") == std::string::npos);
}

}  // namespace featherid::test
