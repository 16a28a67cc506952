// SPDX-License-Identifier: MIT
// TLS to real servers, with certificates of private authorities.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "test/support/forwarder.h"
#include "test/support/frozen.h"
#include "test/support/ports.h"
#include "test/support/tls_server.h"
#include "test/system/integration/names.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

#define TLS_SERVERS MYSQL_SERVERS, PostgresqlServer

namespace {

template <typename Server>
TlsServer<Server>& tls_server() {
  static TlsServer<Server> server;
  return server;
}

Status lease_at(const std::string& url) {
  INFO(redact_database_url(url));
  return lease_one(**open_soci_store(url, patient_options()));
}

void check_fails(const std::string& url, const std::string& words) {
  const Status status = lease_at(url);
  INFO(status);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, words));
  CHECK_FALSE(says(status, "p@ss"));
}

// MariaDB's library lacks this check from 3.4 on, and FeatherID then refuses.
bool can_verify_ca(const std::string& url) {
  const Status status = lease_at(url);
  if (!says(status, "only up to 3.3")) return true;
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(says(status, "tls=verify-full"));
  return false;
}

std::string verify(const std::string& word, const std::string& ca_file) {
  return "tls=" + word + "&ca=" + ca_file;
}

// The store's warnings for one lease.
std::vector<std::string> warnings_at(const std::string& url) {
  std::vector<std::string> warnings;
  SociStoreOptions options = patient_options();
  options.log = [&](LogLevel, std::string_view line) {
    if (line.find("unencrypted") != std::string_view::npos) warnings.emplace_back(line);
  };
  const auto store = *open_soci_store(url, options);
  CHECK(lease_one(*store).ok());
  CHECK(lease_one(*store).ok());
  return warnings;
}

}  // namespace

TEMPLATE_TEST_CASE("TLS: each value of tls encrypts as documented", "[tls]", TLS_SERVERS) {
  auto& tls = tls_server<TestType>();
  const std::string& ca = tls.authority().ca_file();
  names().set("db.example", {"127.0.0.1"});
  CHECK_FALSE(is_encrypted(tls.url()));
  CHECK_FALSE(is_encrypted(tls.url("", "localhost")));
  CHECK_FALSE(is_encrypted(tls.url("tls=off", "db.example")));
  CHECK(is_encrypted(tls.url("", "db.example")));
  CHECK(is_encrypted(tls.url("tls=preferred")));
  CHECK(is_encrypted(tls.url("tls=required")));
  CHECK(is_encrypted(tls.url(verify("verify-full", ca))));
  CHECK(is_encrypted(tls.url(verify("verify-full", ca), "localhost")));
  CHECK(is_encrypted(tls.url(verify("verify-full", ca), "db.example")));
  if (can_verify_ca(tls.url(verify("verify-ca", ca)))) {
    CHECK(is_encrypted(tls.url(verify("verify-ca", ca))));
  }
  for (const char* word : {"off", "preferred", "required"}) {
    CHECK(lease_at(tls.url(std::string("tls=") + word)).ok());
  }
  CHECK(lease_at(tls.url(verify("verify-full", ca))).ok());
}

TEMPLATE_TEST_CASE("TLS: a certificate that does not match is refused", "[tls]", TLS_SERVERS) {
  auto& tls = tls_server<TestType>();
  Authority stranger;
  const Authority::Issued self_signed{stranger.ca_file(), stranger.key_file()};
  const std::string& ca = tls.authority().ca_file();
  names().set("db.example", {"127.0.0.1"});
  const auto check = [&](bool chain, bool name, const std::string& ca_file) {
    CHECK(is_encrypted(tls.url("tls=preferred", "db.example")));
    CHECK(lease_at(tls.url("tls=required", "db.example")).ok());
    const std::string full = tls.url(verify("verify-full", ca_file), "db.example");
    if (chain && name) {
      CHECK(lease_at(full).ok());
    } else {
      check_fails(full, "no TLS connection; check tls, ca, cert and key");
    }
    const std::string chain_alone = tls.url(verify("verify-ca", ca_file), "db.example");
    if (!can_verify_ca(chain_alone)) return;
    if (chain) {
      CHECK(lease_at(chain_alone).ok());
    } else {
      check_fails(chain_alone, "no TLS connection; check tls, ca, cert and key");
    }
  };
  SECTION("a matching one") { check(true, true, ca); }
  SECTION("of another authority") { check(false, true, stranger.ca_file()); }
  SECTION("for another name") {
    tls.use(tls.authority().issue("DNS:other.example,IP:192.0.2.1"));
    check(true, false, ca);
  }
  SECTION("expired") {
    const auto expired = tls.authority().issue("DNS:db.example", Authority::Term::kExpired);
    if (std::is_same_v<TestType, MysqlServer>) {
      CHECK_THROWS(tls.use(expired));  // it does not load it
    } else {
      tls.use(expired);
      check(false, true, ca);
    }
  }
  SECTION("self-signed") {
    tls.use(self_signed);
    check(false, false, ca);
  }
  SECTION("self-signed, and known") {
    tls.use(self_signed);
    check(true, false, stranger.ca_file());  // its name is 127.0.0.1
    CHECK(lease_at(tls.url(verify("verify-full", stranger.ca_file()))).ok());
  }
  tls.use_good();
}

TEMPLATE_TEST_CASE("TLS: the error for a server that requires it names the setting to use", "[tls]",
                   TLS_SERVERS) {
  auto& tls = tls_server<TestType>();
  CHECK(lease_at(tls.url_of("encrypted", "tls=required")).ok());
  CHECK(lease_at(tls.url_of("encrypted", "tls=preferred")).ok());
  check_fails(tls.url_of("encrypted", "tls=off"), "set tls=required in the database URL");
  check_fails(tls.url_of("encrypted", ""), "set tls=required in the database URL");
  if constexpr (!TlsServer<TestType>::kPostgresql) {
    RawSql sql(tls.url());
    sql.run("SET GLOBAL require_secure_transport = ON");
    CHECK(lease_at(tls.url("tls=required")).ok());
    check_fails(tls.url("tls=off"), "set tls=required");
    sql.run("SET GLOBAL require_secure_transport = OFF");
  }
}

TEMPLATE_TEST_CASE(
    "TLS: a server that requires a client's certificate gets it, or the error says so", "[tls]",
    TLS_SERVERS) {
  auto& tls = tls_server<TestType>();
  const auto with = [&](const Authority::Issued& issued) {
    return tls.url_of("known", "tls=required&cert=" + issued.cert_file + "&key=" + issued.key_file);
  };
  const Authority::Issued client = tls.authority().issue("DNS:client");
  CHECK(lease_at(with(client)).ok());
  check_fails(tls.url_of("known", "tls=required"), "set cert and key in the database URL");
  Authority stranger;
  CHECK(lease_at(with(stranger.issue("DNS:client"))).code() != StatusCode::kOk);
  check_fails(with({client.cert_file, tls.authority().key_file()}),
              "no TLS connection; check tls, ca, cert and key");
}

TEMPLATE_TEST_CASE("TLS: a file that cannot be used is named", "[tls]", TLS_SERVERS) {
  auto& tls = tls_server<TestType>();
  const ScratchDir scratch;
  const Authority::Issued client = tls.authority().issue("DNS:client");
  const std::string locked = scratch.file("locked.key");
  run({"openssl", "pkey", "-in", client.key_file, "-aes128", "-passout", "pass:secret", "-out",
       locked});
  const std::string none = scratch.file("none");
  check_fails(tls.url(verify("verify-full", none)), "ca=" + none + ": No such file");
  check_fails(tls.url("tls=required&cert=/&key=" + client.key_file), "cert=/: Is a directory");
  check_fails(tls.url("tls=required&cert=" + client.cert_file + "&key=" + locked),
              "key=" + locked + " has a password");
  // No PEM at all.
  const std::string garbage = scratch.file("garbage");
  std::ofstream(garbage) << "garbage\n";
  check_fails(tls.url(verify("verify-full", garbage)), "no TLS connection; check tls, ca");
}

TEMPLATE_TEST_CASE("TLS: a server without it is refused or named in a warning", "[tls]",
                   MariadbServer, PostgresqlServer) {
  std::vector<std::string> flags;
  // From 11.4 on, MariaDB creates a certificate for itself.
  if (std::is_same_v<TestType, MariadbServer>) flags.emplace_back("--skip-ssl");
  const TestType server(flags);
  const std::string url = server.url();
  fresh_store(url);
  names().set("db.example", {"127.0.0.1"});
  std::string remote = url;
  remote.replace(remote.find("127.0.0.1"), 9, "db.example");
  for (const std::string& base : {url, remote}) {
    check_fails(base + "?tls=required", "the server does not offer it; give the server a");
  }
  // No login is sent first.
  std::string wrong = remote;
  check_fails(wrong.replace(wrong.find("p%40"), 4, "q") + "?tls=required", "does not offer it");
  CHECK(warnings_at(url).empty());
  CHECK(warnings_at(url + "?tls=preferred").empty());
  for (const char* options : {"", "?tls=preferred", "?tls=off"}) {
    const std::vector<std::string> warnings = warnings_at(remote + options);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("at db.example:") != std::string::npos);
    CHECK(warnings[0].find("the password is sent over the network unencrypted") !=
          std::string::npos);
  }
  auto& tls = tls_server<TestType>();
  CHECK(warnings_at(tls.url("", "db.example")).empty());
  CHECK(warnings_at(tls.url("tls=off", "db.example")).size() == 1);
}

TEST_CASE("TLS: MySQL without it logs in with an empty cache", "[tls]") {
  RawSql sql(tls_server<MysqlServer>().url());
  sql.run("FLUSH PRIVILEGES");  // empties the cache of caching_sha2_password
  CHECK(lease_at(tls_server<MysqlServer>().url("tls=off")).ok());
}

TEST_CASE("TLS: PostgreSQL's own variables apply to options that the URL lacks", "[tls]") {
  auto& tls = tls_server<PostgresqlServer>();
  const std::string& ca = tls.authority().ca_file();
  Authority stranger;
  ::setenv("PGSSLMODE", "verify-full", 1);
  ::setenv("PGSSLROOTCERT", stranger.ca_file().c_str(), 1);
  check_fails(tls.url(), "no TLS connection");
  CHECK(lease_at(tls.url(verify("verify-full", ca))).ok());
  CHECK_FALSE(is_encrypted(tls.url("tls=off")));
  ::setenv("PGSSLROOTCERT", ca.c_str(), 1);
  CHECK(is_encrypted(tls.url()));
  ::unsetenv("PGSSLMODE");
  ::unsetenv("PGSSLROOTCERT");
}

TEMPLATE_TEST_CASE("TLS: a call ends in time, and a lost session is replaced", "[tls]",
                   MariadbServer, PostgresqlServer) {
  auto& tls = tls_server<TestType>();
  Forwarder forwarder(tls.server().port());
  const std::string url = with_port(tls.url("tls=required"), forwarder.port());
  const SociStoreOptions options = spare_options();
  const auto store = *open_soci_store(url, options);
  const auto lease = [&] { return lease_one(*store, options.call_timeout); };
  REQUIRE(lease().ok());
  REQUIRE(lease().ok());
  CHECK(forwarder.accepted() == 1);  // one session, kept
  forwarder.set_trouble(Forwarder::Trouble::kBlackHole);
  CHECK(lease().code() == StatusCode::kUnavailable);
  CHECK(lease().code() == StatusCode::kUnavailable);  // in the handshake
  forwarder.set_trouble(Forwarder::Trouble::kNone);
  CHECK(wait_until([&] { return lease().ok(); }));
  forwarder.switch_to(tls.server().port());
  CHECK(lease().ok());
}

TEMPLATE_TEST_CASE("TLS: a handshake that is cut is retried", "[tls]", TLS_SERVERS) {
  auto& tls = tls_server<TestType>();
  Forwarder forwarder(tls.server().port());
  const std::string url =
      with_port(tls.url(verify("verify-full", tls.authority().ca_file())), forwarder.port());
  for (const auto direction : {Forwarder::Direction::kToServer, Forwarder::Direction::kToClient}) {
    for (const int bytes : {0, 3, 20, 40, 100, 200, 400, 800, 1200}) {
      forwarder.begin_cutting(direction, bytes);
      const Status status = lease_at(url);
      INFO(bytes << ": " << status);
      CHECK(status.code() == StatusCode::kUnavailable);
      forwarder.end_cutting();
    }
  }
  CHECK(lease_at(url).ok());
}
