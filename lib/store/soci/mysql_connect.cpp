// SPDX-License-Identifier: MIT
#include "lib/store/soci/mysql_connect.h"

#include <soci/mysql/soci-mysql.h>

#include <cstddef>
#include <memory>
#include <string>

#include "lib/store/soci/tls_options.h"

namespace featherid {

namespace {

constexpr int kTlsError = 2026;  // CR_SSL_CONNECTION_ERROR

struct Opening {
  const DatabaseUrl& url;
  unsigned int connect_timeout;
  unsigned int answer_timeout;
};

unsigned int port_of(const DatabaseUrl& url) {
  return url.port != 0 ? static_cast<unsigned int>(url.port) : 3306;
}

#ifdef MARIADB_PACKAGE_VERSION

// As in <mysql/client_plugin.h>, which includes a header that no version installs. It states its
// interface_version, and a library with another one refuses it.
struct ConnectionPlugin : st_mysql_client_plugin {
  MYSQL* (*connect)(MYSQL*, const char*, const char*, const char*, const char*, unsigned int,
                    const char*, unsigned long);
  void (*close)(MYSQL*);
  int (*set_option)(MYSQL*, unsigned int, ...);
  int (*before_command)(MYSQL*, enum_server_command, const char*, std::size_t, my_bool, void*);
  my_bool (*reconnect)(MYSQL*);
  int (*reset)(MYSQL*);
};

// SOCI makes the handle and connects it in one step. In between, MariaDB's library calls the
// connection plugin that the host names: this one, which sets every option itself.
thread_local const Opening* opening = nullptr;

// From 3.4 on the library checks a certificate and its name, or neither.
bool can_check_chain_alone() {
  return MARIADB_PACKAGE_VERSION_ID < 30400 &&
         mysql_get_client_version() / 100 == MYSQL_VERSION_ID / 100;
}

#ifdef MARIADB_TLS_VERIFY_TRUST  // from 3.4 on

thread_local MYSQL* connecting = nullptr;

// The library asks it, in place of its own check, once the connection is encrypted.
int accept_any_certificate(void*, unsigned int) {
  connecting->net.tls_verify_status = MARIADB_TLS_VERIFY_OK;
  return 0;
}

// With the check of a certificate on, the library sends no login without TLS.
void refuse_login_without_tls(MYSQL* mysql) {
  const my_bool verify = 1;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  mysql_optionsv(mysql, MARIADB_OPT_TLS_VERIFICATION_CALLBACK,
                 reinterpret_cast<void*>(accept_any_certificate));
  connecting = mysql;
}

#else

// With a fingerprint, even an empty one, the library sends no login without TLS.
void refuse_login_without_tls(MYSQL* mysql) { mysql_optionsv(mysql, MARIADB_OPT_SSL_FP, ""); }

#endif

void set_tls(MYSQL* mysql, const DatabaseUrl& url) {
  const TlsMode mode = tls_mode(url);
  const my_bool encrypt = mode != TlsMode::kOff ? 1 : 0;
  const my_bool verify = mode == TlsMode::kVerifyFull ? 1 : 0;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &encrypt);
  mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);  // from 3.4 on by default 1
  // "Enforce" only asks for TLS. open_mysql() checks the result, too.
  if (mode == TlsMode::kRequired || mode == TlsMode::kVerifyCa) refuse_login_without_tls(mysql);
  const UrlOptions& options = url.options;
  if (!options.ca.empty()) mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, options.ca.c_str());
  if (options.cert.empty()) return;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_CERT, options.cert.c_str());
  mysql_optionsv(mysql, MYSQL_OPT_SSL_KEY, options.key.c_str());
  mysql_optionsv(mysql, MARIADB_OPT_TLS_PASSPHRASE, "");  // never asked for at a terminal
}

MYSQL* connect(MYSQL* mysql, const char*, const char*, const char*, const char*, unsigned int,
               const char*, unsigned long client_flag) {
  const DatabaseUrl& url = opening->url;
  // For "localhost" the library would otherwise take its default Unix socket, whatever the port.
  const unsigned int protocol =
      url.host.front() == '/' ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &opening->connect_timeout);
  mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &opening->answer_timeout);
  mysql_optionsv(mysql, MYSQL_OPT_WRITE_TIMEOUT, &opening->answer_timeout);
  // Shown in performance_schema.session_connect_attrs.
  mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name",
                 url.options.application_name.c_str());
  set_tls(mysql, url);
  const auto text = [](const std::string& value) {
    return value.empty() ? nullptr : value.c_str();
  };
  const bool socket = protocol == MYSQL_PROTOCOL_SOCKET;
  // Not mysql_real_connect(), which would take options out of a host with a semicolon.
  return mysql->methods->db_connect(mysql, socket ? nullptr : url.host.c_str(), text(url.user),
                                    text(url.password), url.database.c_str(), port_of(url),
                                    socket ? url.host.c_str() : nullptr, client_flag);
}

// The library asks before each command. 0: it sends the command itself.
int before_command(MYSQL*, enum_server_command, const char*, std::size_t, my_bool, void*) {
  return 0;
}

void connect_session(soci::session& session, const Opening& wanted) {
  if (tls_mode(wanted.url) == TlsMode::kVerifyCa && !can_check_chain_alone()) {
    throw soci::soci_error(
        "MariaDB Connector/C checks a certificate without the name only up to 3.3; use "
        "tls=verify-full");
  }
  static ConnectionPlugin plugin = [] {
    mysql_library_init(0, nullptr, nullptr);  // not by two threads at once
    ConnectionPlugin made = {};
    made.type = 103;  // MARIADB_CLIENT_CONNECTION_PLUGIN
    made.interface_version = 0x0100;
    made.name = "featherid";
    made.connect = connect;
    made.before_command = before_command;
    return made;
  }();
  const std::unique_ptr<MYSQL, void (*)(MYSQL*)> handle(mysql_init(nullptr), mysql_close);
  // Each time: mysql_library_end() forgets it. A known plugin is not added again.
  if (handle == nullptr || mysql_client_register_plugin(handle.get(), &plugin) == nullptr) {
    throw soci::soci_error("MariaDB's client library accepts no connection plugin");
  }
  opening = &wanted;
  try {
    session.open(soci::mysql, "host='featherid://'");
  } catch (...) {
    opening = nullptr;
    throw;
  }
  opening = nullptr;
}

#else  // MySQL's own client library: SOCI passes everything on, the TLS mode from 4.1 on

std::string parameter(const char* name, const std::string& value) {
  std::string text = std::string(name) + "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "' ";
}

std::string tls_parameters(const DatabaseUrl& url) {
  constexpr const char* kModes[] = {"DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA",
                                    "VERIFY_IDENTITY"};
  std::string text;
#if SOCI_VERSION >= 400100
  text += parameter("ssl_mode", kModes[static_cast<int>(tls_mode(url))]);
#else
  if (tls_mode(url) > TlsMode::kPreferred) {
    throw soci::soci_error(std::string("SOCI 4.0 cannot ask MySQL's client library to check a "
                                       "certificate (") +
                           kModes[static_cast<int>(tls_mode(url))] +
                           "); build with SOCI 4.1 or with MariaDB Connector/C");
  }
#endif
  const UrlOptions& options = url.options;
  if (!options.ca.empty()) text += parameter("sslca", options.ca);
  if (options.cert.empty()) return text;
  return text + parameter("sslcert", options.cert) + parameter("sslkey", options.key);
}

void connect_session(soci::session& session, const Opening& wanted) {
  const DatabaseUrl& url = wanted.url;
  // For "localhost" the library would otherwise take its default Unix socket, whatever the port.
  std::string text = url.host.front() == '/'
                         ? parameter("unix_socket", url.host)
                         : parameter("host", url.host == "localhost" ? "127.0.0.1" : url.host);
  if (!url.user.empty()) text += parameter("user", url.user);
  if (!url.password.empty()) text += parameter("password", url.password);
  session.open(soci::mysql,
               text + parameter("port", std::to_string(port_of(url))) +
                   parameter("dbname", url.database) + parameter("charset", "utf8mb4") +
                   parameter("connect_timeout", std::to_string(wanted.connect_timeout)) +
                   parameter("read_timeout", std::to_string(wanted.answer_timeout)) +
                   parameter("write_timeout", std::to_string(wanted.answer_timeout)) +
                   tls_parameters(url));
}

#endif

}  // namespace

void open_mysql(soci::session& session, const DatabaseUrl& url,
                std::chrono::seconds connect_timeout, std::chrono::seconds answer_timeout) {
  connect_session(session, {url, static_cast<unsigned int>(connect_timeout.count()),
                            static_cast<unsigned int>(answer_timeout.count())});
  MYSQL* const mysql = static_cast<soci::mysql_session_backend*>(session.get_backend())->conn_;
  if (tls_mode(url) >= TlsMode::kRequired && mysql_get_ssl_cipher(mysql) == nullptr) {
    throw soci::mysql_soci_error("TLS is required, but the server does not support it", kTlsError);
  }
}

}  // namespace featherid
