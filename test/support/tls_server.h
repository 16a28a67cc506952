// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_TLS_SERVER_H_
#define FEATHERID_TEST_SUPPORT_TLS_SERVER_H_

#include <fstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "featherid/soci_store.h"
#include "test/support/authority.h"
#include "test/support/mariadb_server.h"
#include "test/support/mysql_server.h"
#include "test/support/postgresql_server.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"

namespace featherid::test {

// A server with a certificate of `authority()`, which also signs those of clients. Its users
// besides `featherid`: `encrypted` must use TLS, and `known` must also have a certificate.
template <typename Server>
class TlsServer {
 public:
  static constexpr bool kPostgresql = std::is_same_v<Server, PostgresqlServer>;

  TlsServer() : server_(flags()) {
    RawSql sql(server_.url());
    if (const Status status = init_soci_schema(server_.url()); !status.ok()) {
      throw std::runtime_error(status.message());
    }
    for (const std::string user : {"encrypted", "known"}) make_user(sql, user);
    if constexpr (kPostgresql) {
      std::ofstream(sql.text("SHOW hba_file"))
          << "hostssl all encrypted all scram-sha-256\n"
             "hostssl all known all scram-sha-256 clientcert=verify-ca\n"
             "host all featherid all scram-sha-256\n";
      reload();
    }
  }

  Authority& authority() { return authority_; }
  Server& server() { return server_; }

  // With `options` after the ?.
  std::string url(const std::string& options = "", const std::string& host = "127.0.0.1") const {
    std::string url = server_.url();
    return url.replace(url.find("127.0.0.1"), 9, host) + "?" + options;
  }
  std::string url_of(const std::string& user, const std::string& options) const {
    return (kPostgresql ? "postgresql://" : "mysql://") + user +
           ":x@127.0.0.1:" + std::to_string(server_.port()) + "/ids?" + options;
  }

  // For connections from now on.
  void use(const Authority::Issued& issued) {
    put(issued);
    reload();
  }
  void use_good() { use(good_); }

 private:
  std::vector<std::string> flags() {
    std::filesystem::permissions(scratch_.path(), std::filesystem::perms::all);
    put(good_);
    const std::string ca = authority_.ca_file();
    const std::string cert = scratch_.file("cert");
    const std::string key = scratch_.file("key");
    if constexpr (kPostgresql) {
      return {"-c", "ssl=on",
              "-c", "ssl_ca_file=" + ca,
              "-c", "ssl_cert_file=" + cert,
              "-c", "ssl_key_file=" + key};
    } else {
      return {"--ssl-ca=" + ca, "--ssl-cert=" + cert, "--ssl-key=" + key};
    }
  }

  // PostgreSQL reads only a key that it owns.
  void put(const Authority::Issued& issued) {
    std::filesystem::permissions(issued.key_file, std::filesystem::perms(0644));
    ChildProcess::Options options;
    if (kPostgresql) options.user = "postgres";
    run({"install", "-m", "600", issued.cert_file, scratch_.file("cert")}, options);
    run({"install", "-m", "600", issued.key_file, scratch_.file("key")}, options);
  }

  void reload() {
    if constexpr (kPostgresql) {
      const std::string loaded = "SELECT pg_conf_load_time()::text";
      const std::string before = RawSql(server_.url()).text(loaded);
      RawSql(server_.url()).run("SELECT pg_reload_conf()");
      if (!wait_until([&] { return RawSql(server_.url()).text(loaded) != before; })) {
        throw std::runtime_error("PostgreSQL does not load its configuration");
      }
    } else {
      RawSql(server_.url())
          .run(std::is_same_v<Server, MysqlServer> ? "ALTER INSTANCE RELOAD TLS" : "FLUSH SSL");
    }
  }

  static void make_user(RawSql& sql, const std::string& user) {
    if constexpr (kPostgresql) {
      sql.run("CREATE ROLE " + user + " LOGIN SUPERUSER PASSWORD 'x'");
    } else {
      sql.run("CREATE USER " + user + " IDENTIFIED BY 'x' REQUIRE " +
              (user == "known" ? "X509" : "SSL"));
      sql.run("GRANT ALL ON *.* TO " + user);
    }
  }

  ScratchDir scratch_;
  Authority authority_;
  const Authority::Issued good_ = authority_.issue("IP:127.0.0.1,DNS:db.example,DNS:localhost");
  Server server_;
};

// Whether the connections of a URL are encrypted.
inline bool is_encrypted(const std::string& url) {
  RawSql sql(url);
  if (url.rfind("postgresql:", 0) == 0) {
    return sql.number("SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == 1;
  }
  std::string name;
  std::string cipher;
  sql.for_each_row(
      "SHOW SESSION STATUS LIKE 'Ssl_cipher'", [] {}, soci::into(name), soci::into(cipher));
  return !cipher.empty();
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_TLS_SERVER_H_
