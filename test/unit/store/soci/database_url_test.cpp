// SPDX-License-Identifier: MIT
#include "lib/store/soci/database_url.h"

#include <string>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/catch.h"

using featherid::DatabaseUrl;
using featherid::Engine;
using featherid::parse_database_url;
using featherid::redact_database_url;
using featherid::StatusCode;
using featherid::TlsMode;

TEST_CASE("a server's URL is split and its escapes are decoded", "[database_url]") {
  const DatabaseUrl url =
      *parse_database_url("mysql://me%40x:p%2Fw%3A%25@db.example:3307/my%20ids");
  CHECK(url.engine == Engine::kMysql);
  CHECK(url.user == "me@x");
  CHECK(url.password == "p/w:%");
  CHECK(url.host == "db.example");
  CHECK(url.port == 3307);
  CHECK(url.database == "my ids");
  CHECK(parse_database_url("mariadb://h/d")->engine == Engine::kMysql);
}

TEST_CASE("user, password and port may be left out", "[database_url]") {
  const DatabaseUrl bare = *parse_database_url("postgresql://host/ids");
  CHECK(bare.engine == Engine::kPostgresql);
  CHECK(bare.user.empty());
  CHECK(bare.password.empty());
  CHECK(bare.port == 0);
  const DatabaseUrl user = *parse_database_url("postgresql://me@host/ids");
  CHECK(user.user == "me");
  CHECK(user.password.empty());
}

TEST_CASE("a host may be an IPv6 address or a Unix socket, a password hold an @",
          "[database_url]") {
  const DatabaseUrl v6 = *parse_database_url("mysql://u@[::1]:3306/ids");
  CHECK(v6.host == "::1");
  CHECK(v6.port == 3306);
  CHECK(parse_database_url("postgresql://u@%2Frun%2Fpg/ids")->host == "/run/pg");
  CHECK(parse_database_url("mysql://u:a@b@host/ids")->password == "a@b");
}

TEST_CASE("a SQLite URL is a path", "[database_url]") {
  CHECK(parse_database_url("sqlite3:ids.db")->database == "ids.db");
  CHECK(parse_database_url("sqlite3:/var/lib/ids.db")->database == "/var/lib/ids.db");
  CHECK(parse_database_url("sqlite3:///var/lib/ids.db")->database == "///var/lib/ids.db");
  CHECK(parse_database_url("sqlite3:a%20b.db")->database == "a b.db");
}

TEST_CASE("a malformed URL is kInvalidArgument and its text is not repeated", "[database_url]") {
  for (const char* url : {"",
                          "ids.db",
                          "sqlite3:",
                          "sqlite3::memory:",
                          "sqlite3:file:x",
                          "sqlite3:a\"b",
                          "sqlite3://ids.db",
                          "oracle://u:s3cret@h/d",
                          "mysql:s3cret",
                          "mysql:/h/d",
                          "mysql://u:s3cret@h",
                          "mysql://u:s3cret@h/",
                          "mysql://u:s3cret@/d",
                          "mysql://u:s3cret@h:/d",
                          "mysql://u:s3cret@h:0/d",
                          "mysql://u:s3cret@h:65536/d",
                          "mysql://u:s3cret@h:x/d",
                          "mysql://u:s3cret@h/d?x=y",
                          "mysql://u:s3cret@h/d/e",
                          "mysql://u:s3cret%@h/d",
                          "mysql://u:s3cret%zz@h/d",
                          "mysql://u:s3cret%00@h/d",
                          "mysql://u:s3cret@[::1/d",
                          "mysql://u:s3/cret@h/d"}) {
    const auto status = parse_database_url(url).status();
    INFO(url << ": " << status);
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(status.message().find("cret") == std::string::npos);
    CHECK(featherid::open_soci_store(url).status().code() == StatusCode::kInvalidArgument);
    CHECK(featherid::init_soci_schema(url).code() == StatusCode::kInvalidArgument);
  }
}

TEST_CASE("a server's URL may have options, each decoded", "[database_url]") {
  const auto options = parse_database_url(
                           "postgresql://me:p?w@h:1/d?tls=verify-full&ca=/etc/ssl/my%20ca.pem&"
                           "cert=c%26%40.pem&key=%2Fk.pem")
                           ->options;
  CHECK(options.tls == TlsMode::kVerifyFull);
  CHECK(options.ca == "/etc/ssl/my ca.pem");
  CHECK(options.cert == "c&@.pem");
  CHECK(options.key == "/k.pem");
  const DatabaseUrl bare = *parse_database_url("mysql://me:p?w@h:1/d?");
  CHECK(bare.password == "p?w");
  CHECK(bare.database == "d");
  CHECK_FALSE(bare.options.tls);
  const std::pair<const char*, TlsMode> words[] = {{"off", TlsMode::kOff},
                                                   {"preferred", TlsMode::kPreferred},
                                                   {"required", TlsMode::kRequired},
                                                   {"verify-ca", TlsMode::kVerifyCa}};
  for (const auto& [word, mode] : words) {
    CHECK(parse_database_url("postgresql://h/d?tls=" + std::string(word))->options.tls == mode);
  }
}

TEST_CASE("an error names the wrong option and the known ones, and repeats no value",
          "[database_url]") {
  const std::pair<const char*, const char*> wrong[] = {
      {"tsl=s3cret", "unknown option 'tsl'; the known options are: tls, ca, cert, key"},
      {"TLS=off", "unknown option 'TLS'"},
      {"&tls=off", "unknown option ''"},
      {"tls", "the option tls without a value"},
      {"tls=off&tls=off", "the option tls twice"},
      {"tls=s3cret", "tls that must be off, preferred, required, verify-ca or verify-full"},
      {"tls=", "tls that must be off"},
      {"ca=&tls=verify-ca", "ca that names no file"},
      {"tls=verify-ca&ca=s3cret%2", "broken %-escape"},
      {"tls=verify-ca&ca=s3cret%0A", "broken %-escape or a control character in the option ca"},
      {"ca=s3cret", "only with tls=verify-ca or tls=verify-full"},
      {"tls=required&ca=s3cret", "only with tls=verify-ca or tls=verify-full"},
      {"tls=required&cert=s3cret", "only one of the options cert and key"},
      {"cert=s3cret&key=s3cret", "only with tls=preferred"},
      {"tls=off&cert=s3cret&key=s3cret", "only with tls=preferred"}};
  for (const auto& [options, words] : wrong) {
    for (const char* engine : {"mysql", "postgresql"}) {
      const auto status =
          parse_database_url(engine + std::string("://u:s3cret@h/d?") + options).status();
      INFO(options << ": " << status);
      CHECK(status.code() == StatusCode::kInvalidArgument);
      CHECK(status.message().find(words) != std::string::npos);
      CHECK(status.message().find("cret") == std::string::npos);
    }
  }
  CHECK(parse_database_url("postgresql://h/d?tls=verify-full").ok());  // libpq's own file
  const auto without_ca = parse_database_url("mysql://h/d?tls=verify-full").status();
  CHECK(without_ca.message().find("without ca") != std::string::npos);
  // Part of a password with a / and a ? ends up among the options.
  const auto status = parse_database_url("mysql://u:33/x?s3cret=1@h/d").status();
  CHECK(status.code() == StatusCode::kInvalidArgument);
  CHECK(status.message().find("cret") == std::string::npos);
}

TEST_CASE("a ? in a SQLite file's name stays one unless an option follows it", "[database_url]") {
  for (const char* option : {"Table=x", "TABLE=x", "t2=x"}) {
    CHECK(parse_database_url(std::string("sqlite3:ids.db?") + option).status().code() ==
          StatusCode::kInvalidArgument);
  }
  for (const char* name : {"a?b.db", "what?", "?", "a?b?c=", "a?1=x", "a?.db"}) {
    CAPTURE(name);
    const auto url = parse_database_url(std::string("sqlite3:/x/") + name);
    CHECK((url.ok() && url->database == std::string("/x/") + name) ==
          (std::string(name) != "a?b?c="));
  }
  CHECK(parse_database_url("sqlite3:a%3Ftls=off")->database == "a?tls=off");
  const auto status = parse_database_url("sqlite3:a.db?tls=off").status();
  CHECK(status.code() == StatusCode::kInvalidArgument);
  CHECK(status.message().find("unknown option 'tls'; the known options are: ") !=
        std::string::npos);
  CHECK(status.message().find("%3F") != std::string::npos);
}

TEST_CASE("a connection has a timeout, a name and a password file", "[database_url]") {
  for (const char* engine : {"mysql", "postgresql"}) {
    const std::string start = engine + std::string("://u@h/d?");
    const auto url = parse_database_url(
        start + "connect_timeout=3&application_name=order%20service&password-file=/run/p");
    REQUIRE(url.ok());
    CHECK(url->options.connect_timeout == std::chrono::seconds(3));
    CHECK(url->options.application_name == "order service");
    CHECK(url->options.password_file == "/run/p");
    CHECK(url->login_may_change);
    for (const char* wrong : {"connect_timeout=", "connect_timeout=0", "connect_timeout=61",
                              "connect_timeout=-1", "connect_timeout=1s", "connect_timeout=1.5",
                              "application_name=", "application_name=%C3%A9", "password-file="}) {
      INFO(wrong);
      CHECK(parse_database_url(start + wrong).status().code() == StatusCode::kInvalidArgument);
    }
    CHECK_FALSE(parse_database_url(start + "application_name=" + std::string(64, 'a')).ok());
    const auto both = parse_database_url(std::string(engine) + "://u:s3cret@h/d?password-file=x");
    CHECK(both.status().message().find("give one of them") != std::string::npos);
    CHECK_FALSE(parse_database_url(start).value().login_may_change);
  }
  featherid::SociStoreOptions options;
  options.call_timeout = std::chrono::seconds(2);
  CHECK(featherid::open_soci_store("mysql://h/d?connect_timeout=2", options).ok());
  CHECK_FALSE(featherid::open_soci_store("mysql://h/d?connect_timeout=3", options).ok());
  const auto no_file = featherid::open_soci_store("mysql://h/d?password-file=/none", options);
  CHECK(no_file.status().code() == StatusCode::kInvalidArgument);
  CHECK(no_file.status().message().find("/none cannot be read") != std::string::npos);
}

TEST_CASE("addresses of one database agree on schema and table", "[database_url]") {
  const std::string url = "postgresql://a/d?schema=s&table=t";
  CHECK(featherid::open_soci_store({url, "postgresql://b/d?table=t&schema=s&connect_timeout=1"})
            .ok());
  for (const char* other : {"postgresql://b/d?schema=s", "postgresql://b/d?table=t",
                            "postgresql://b/d?schema=S&table=t"}) {
    const auto status = featherid::open_soci_store({url, other}).status();
    CHECK(status.message().find("schema and table") != std::string::npos);
  }
}

TEST_CASE("a loopback host is reached without a network", "[database_url]") {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "[::1]", "%2Frun%2Fpg"}) {
    CHECK(is_local(*parse_database_url("mysql://" + std::string(host) + "/d")));
  }
  for (const char* host : {"db.example", "10.0.0.1", "[::2]", "localhost.example"}) {
    CHECK_FALSE(is_local(*parse_database_url("mysql://" + std::string(host) + "/d")));
  }
  CHECK(is_local(*parse_database_url("sqlite3:ids.db")));
}

TEST_CASE("options outside their bounds are kInvalidArgument", "[database_url]") {
  const auto code = [](int sessions_max, int seconds) {
    featherid::SociStoreOptions options;
    options.sessions_max = sessions_max;
    options.call_timeout = std::chrono::seconds(seconds);
    return featherid::open_soci_store("mysql://h/d", options).status().code();
  };
  CHECK(code(0, 5) == StatusCode::kInvalidArgument);
  CHECK(code(65, 5) == StatusCode::kInvalidArgument);
  CHECK(code(1, 1) == StatusCode::kInvalidArgument);
  CHECK(code(1, 61) == StatusCode::kInvalidArgument);
  CHECK(code(1, 2) == StatusCode::kOk);
  CHECK(code(64, 60) == StatusCode::kOk);
}

TEST_CASE("redaction hides the password and nothing else, however wrong the URL",
          "[database_url]") {
  CHECK(redact_database_url("mysql://me:s3cret@h:1/d") == "mysql://me:***@h:1/d");
  CHECK(redact_database_url("postgresql://me:a@b:c/d@h/d") == "postgresql://me:***@h/d");
  CHECK(redact_database_url("oracle://me:s3cret@h") == "oracle://me:***@h");
  CHECK(redact_database_url("mysql://me@h:1/d") == "mysql://me@h:1/d");
  CHECK(redact_database_url("mysql://h/d") == "mysql://h/d");
  CHECK(redact_database_url("sqlite3:ids.db") == "sqlite3:ids.db");
  CHECK(redact_database_url("mysql://me:s3cret") == "***");
  CHECK(redact_database_url("s3cret") == "***");
  CHECK(redact_database_url("") == "***");
}

TEST_CASE("messages name engine, database and host, without user and password", "[database_url]") {
  CHECK(describe(*parse_database_url("mysql://u:s3cret@h:33/d")) == "mysql database d at h:33");
  CHECK(describe(*parse_database_url("postgresql://h/d")) == "postgresql database d at h");
  CHECK(describe(*parse_database_url("sqlite3:x/ids.db")) == "sqlite3 file x/ids.db");
}
