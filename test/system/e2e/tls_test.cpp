// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/count_of.h"
#include "test/support/frozen.h"
#include "test/system/e2e/server_process.h"
#include "test/system/e2e/tls_client.h"

namespace featherid::test {

namespace {

const std::string kId = "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kLastId =
    "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::vector<std::string> tls_flags(const Certificate& certificate,
                                   std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--tls-cert", certificate.cert_file, "--tls-key", certificate.key_file});
  return more;
}

}  // namespace

TEST_CASE("TLS serves the same as plain HTTP and ends with close_notify", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const ServerProcess server(scratch, tls_flags(certificate));
  CHECK(server.output().find(" ready on https://127.0.0.1:") != std::string::npos);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const TlsClient client(server.port(), certificate, version);
  CHECK(client.version() == version);
  for (int i = 1; i <= 100; ++i) {
    client.send(kId);
    REQUIRE(client.read_until("\"data\":" + std::to_string(i) + "}"));
  }
  client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(client.read_until("\"ok\"}"));
  std::string requests;
  for (int i = 0; i < 999; ++i) requests += kId;
  client.send(requests + kLastId);
  const auto answers = client.read_to_end();  // by close_notify
  REQUIRE(answers);
  CHECK(count_of(*answers, "\"code\":0") == 1000);
}

TEST_CASE("curl accepts the certificate", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const ServerProcess server(scratch, tls_flags(certificate));
  run({"curl", "-sS", "--fail", "--max-time", "20", "--cacert", certificate.cert_file,
       "https://127.0.0.1:" + std::to_string(server.port()) + "/api/v1/id?biz_tag=order"});
}

TEST_CASE("a large answer to a client that reads late is complete", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const ServerProcess server(scratch, tls_flags(certificate, {"--max-batch", "100000"}));
  const TlsClient client(server.port(), certificate);
  const std::string head =
      "GET /api/v1/id/batch?biz_tag=order&count=100000 HTTP/1.1\r\nHost: x\r\n";
  std::string requests;
  constexpr int kBatches = 30;  // 20 MB, more than the sockets hold
  for (int i = 1; i < kBatches; ++i) requests += head + "\r\n";
  client.send(requests + head + "Connection: close\r\n\r\n");
  const TlsClient other(server.port(), certificate);
  other.send(kLastId);
  CHECK(other.read_to_end());  // is served while the first does not read
  const auto answers = client.read_to_end();
  REQUIRE(answers);
  CHECK(count_of(*answers, "\"code\":0") == kBatches);
  // Commas between the ids, two beside them, and one in Date.
  CHECK(count_of(*answers, ",") == kBatches * (100000 - 1 + 2 + 1));
}

TEST_CASE("TLS 1.1 is refused, and a session is resumed", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  // OpenSSL's own configuration would allow it, so the server refuses it.
  const std::string lax = scratch.file("openssl.cnf");
  std::ofstream(lax) << "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = lax\n"
                        "[lax]\nMinProtocol = TLSv1\nCipherString = DEFAULT:@SECLEVEL=0\n";
  const ServerProcess server(scratch, tls_flags(certificate), {"OPENSSL_CONF=" + lax});
  std::string refusal;
  try {
    const TlsClient old(server.port(), certificate, TLS1_1_VERSION);
  } catch (const std::runtime_error& error) {
    refusal = error.what();
  }
  CAPTURE(refusal);
  CHECK(refusal.find("alert protocol version") != std::string::npos);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const TlsClient first(server.port(), certificate, version);
  CHECK(!first.resumed());
  first.send(kLastId);
  REQUIRE(first.read_to_end());
  const TlsClient second(server.port(), certificate, version, first.session());
  CHECK(second.resumed());
  second.send(kLastId);
  CHECK(second.read_to_end());
}

TEST_CASE("a client that does not speak TLS gets a clean close", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const ServerProcess server(scratch, tls_flags(certificate));
  const RawClient plain(server.port());
  plain.send(kId + kId);
  const auto told = plain.read_to_end();
  REQUIRE(told);
  CHECK(told->find("HTTP/1.1 400 ") == 0);
  CHECK(told->find("use https://") != std::string::npos);
  CHECK(told->find("Connection: close\r\n") != std::string::npos);

  for (const std::string& garbage :
       {std::string(5000, 'x'), std::string(5000, '\0'),
        std::string("\x16\x03\x01\x00\x05", 5) + std::string(5000, '\x01')}) {
    const RawClient client(server.port());
    client.send(garbage);
    const auto alert = client.read_to_end();
    REQUIRE(alert);  // not a reset
    CHECK(alert->size() <= 7);
  }
  const TlsClient client(server.port(), certificate);
  client.send(kLastId);
  CHECK(client.read_to_end());
}

TEST_CASE("a handshake has the same time limit as headers", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const ServerProcess server(
      scratch, tls_flags(certificate, {"--header-timeout", "3s", "--max-connections", "300"}));
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 299; ++i) {
    slow.push_back(std::make_unique<RawClient>(server.port()));
    if (i % 2 == 0) slow.back()->send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  }
  const TlsClient client(server.port(), certificate);
  client.send(kId);
  CHECK(client.read_until("\"data\":1}"));
  for (const auto& ended : slow) CHECK(ended->read_to_end() == "");
}

TEST_CASE("a TLS connection over the limit gets an error", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const ServerProcess server(scratch, tls_flags(certificate, {"--max-connections", "1"}));
  const TlsClient first(server.port(), certificate);
  first.send(kId);
  REQUIRE(first.read_until("\"data\":1}"));
  const TlsClient second(server.port(), certificate);
  const auto answer = second.read_to_end();
  REQUIRE(answer);
  CHECK(answer->find("HTTP/1.1 503 ") == 0);
}

TEST_CASE("a drain ends TLS connections with close_notify", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  ServerProcess server(scratch, tls_flags(certificate));
  const TlsClient active(server.port(), certificate);
  const TlsClient silent(server.port(), certificate);
  for (const TlsClient* client : {&active, &silent}) {
    client->send(kId);
    REQUIRE(client->read_until("\"data\":"));
  }
  {
    const Frozen frozen(server.process().pid());
    server.process().signal(SIGTERM);  // handled when the request has arrived
    active.send(kId);
  }
  CHECK(count_of(active.read_to_end().value_or(""), "\"code\":0") == 1);
  CHECK(silent.read_to_end() == "");
  CHECK(server.process().wait(std::chrono::seconds(10)) == 0);
}

TEST_CASE("a certificate that cannot be used is one line on standard error", "[e2e][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  const Certificate other(scratch, "other");
  const Certificate rsa(scratch, "rsa", Certificate::Kind::kRsa);
  const std::string locked = scratch.file("locked.key");
  const std::string empty = scratch.file("empty");
  run({"openssl", "pkey", "-in", certificate.key_file, "-aes128", "-passout", "pass:secret", "-out",
       locked});
  std::ofstream(empty).flush();
  struct Case {
    std::vector<std::string> flags;
    std::string says;
  };
  const std::string none = scratch.file("none");
  const std::string& cert = certificate.cert_file;
  const std::string& key = certificate.key_file;
  const Case cases[] = {
      {{"--tls-cert", cert}, "--tls-cert: requires --tls-key as well"},
      {{"--tls-key", key}, "--tls-key: requires --tls-cert as well"},
      {{"--tls-cert", none, "--tls-key", key}, "--tls-cert: " + none + ": No such file"},
      {{"--tls-cert", cert, "--tls-key", none}, "--tls-key: " + none + ": No such file"},
      {{"--tls-cert", "/", "--tls-key", key}, "--tls-cert: /: Is a directory"},
      {{"--tls-cert", empty, "--tls-key", key}, "--tls-cert: " + empty + ": is empty"},
      {{"--tls-cert", key, "--tls-key", key}, "contains no usable certificate in PEM"},
      {{"--tls-cert", cert, "--tls-key", cert}, "contains no private key in PEM"},
      {{"--tls-cert", cert, "--tls-key", locked}, "or the key has a password"},
      {{"--tls-cert", cert, "--tls-key", other.key_file},
       "--tls-key: " + other.key_file + ": is not the key of the certificate in " + cert},
      {{"--tls-cert", cert, "--tls-key", rsa.key_file},
       "--tls-key: " + rsa.key_file + ": is not the key of the certificate in " + cert},
      {{"--tls-cert", rsa.cert_file, "--tls-key", key},
       "--tls-key: " + key + ": is not the key of the certificate in " + rsa.cert_file},
  };
  for (Case bad : cases) {
    for (const bool check_only : {false, true}) {
      if (check_only) bad.flags.emplace_back("--check-config");
      const RunResult result = run_server(scratch, bad.flags);
      INFO(result.output);
      CHECK(result.exit_code == 2);
      CHECK(result.output.find(bad.says) != std::string::npos);
      CHECK(std::count(result.output.begin(), result.output.end(), '\n') == 1);
    }
  }
}

}  // namespace featherid::test
