// SPDX-License-Identifier: MIT
#include "lib/store/soci/tls_options.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

using namespace featherid;

namespace {

DatabaseUrl url(const std::string& host, const std::string& options = "") {
  return *parse_database_url("postgresql://u@" + host + "/d?" + options);
}

std::map<std::string, std::string> told(const DatabaseUrl& url) {
  std::map<std::string, std::string> parameters;
  for (const auto& [name, value] : postgresql_tls(url)) parameters[name] = value;
  return parameters;
}

}  // namespace

TEST_CASE("TLS is preferred over a network and off without one, unless the URL says otherwise",
          "[tls_options]") {
  CHECK(tls_mode(url("db.example")) == TlsMode::kPreferred);
  for (const char* host : {"localhost", "127.0.0.1", "[::1]", "%2Frun"}) {
    CHECK(tls_mode(url(host)) == TlsMode::kOff);
    CHECK(tls_mode(url(host, "tls=required")) == TlsMode::kRequired);
  }
  CHECK(tls_mode(url("db.example", "tls=off")) == TlsMode::kOff);
}

TEST_CASE("PostgreSQL's driver gets the options under its own names", "[tls_options]") {
  ::unsetenv("PGSSLMODE");
  CHECK(told(url("h", "tls=off")).at("sslmode") == "disable");
  CHECK(told(url("h")).at("sslmode") == "prefer");
  CHECK(told(url("h", "tls=required")).at("sslmode") == "require");
  CHECK(told(url("h", "tls=verify-ca")).at("sslmode") == "verify-ca");
  const auto all = told(url("h", "tls=verify-full&ca=a&cert=c&key=k"));
  CHECK(all ==
        std::map<std::string, std::string>{
            {"sslmode", "verify-full"}, {"sslrootcert", "a"}, {"sslcert", "c"}, {"sslkey", "k"}});
}

TEST_CASE("PGSSLMODE applies to a URL without the option tls", "[tls_options]") {
  ::setenv("PGSSLMODE", "verify-full", 1);
  CHECK(told(url("h")).empty());
  CHECK(told(url("localhost")).empty());
  CHECK(told(url("h", "tls=off")).at("sslmode") == "disable");
  ::unsetenv("PGSSLMODE");
}

TEST_CASE("a file that cannot be used is named, with the reason", "[tls_options]") {
  const test::ScratchDir scratch;
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(scratch.file(name)) << text;
    return scratch.file(name);
  };
  UrlOptions options;
  CHECK(tls_file_error(options).empty());
  const std::string good = write("good", "-----BEGIN");
  options.ca = options.cert = options.key = good;
  CHECK(tls_file_error(options).empty());
  const std::string none = scratch.file("none");
  const std::string empty = write("empty", "");
  const std::string locked = write("locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----");
  const auto file_error = [&](std::string UrlOptions::*option, const std::string& file) {
    UrlOptions wrong = options;
    wrong.*option = file;
    return tls_file_error(wrong);
  };
  CHECK(file_error(&UrlOptions::ca, none).find("ca=" + none + ": No such file") !=
        std::string::npos);
  CHECK(file_error(&UrlOptions::cert, empty).find("cert=" + empty + ": is empty") !=
        std::string::npos);
  CHECK(file_error(&UrlOptions::ca, "/").find("ca=/: Is a directory") != std::string::npos);
  CHECK(file_error(&UrlOptions::key, locked).find("key=" + locked + " has a password") !=
        std::string::npos);
}
