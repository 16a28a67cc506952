// SPDX-License-Identifier: MIT
#include "lib/store/soci/tls_options.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace featherid {

namespace {

const char* sslmode(TlsMode mode) {
  switch (mode) {
    case TlsMode::kOff:
      return "disable";
    case TlsMode::kPreferred:
      return "prefer";
    case TlsMode::kRequired:
      return "require";
    case TlsMode::kVerifyCa:
      return "verify-ca";
    case TlsMode::kVerifyFull:
      break;
  }
  return "verify-full";
}

std::string file_error(const char* option, const std::string& path) {
  const std::string file = std::string("the certificate or key file ") + option + "=" + path;
  errno = 0;
  std::ifstream stream(path);
  std::string text;
  std::getline(stream, text, '\0');
  if (!text.empty()) {
    return text.find("ENCRYPTED") == std::string::npos
               ? ""
               : file + " has a password; remove it (openssl pkey -in FILE -out FILE2)";
  }
  return file + ": " + (errno == 0 ? "is empty" : std::system_category().message(errno));
}

}  // namespace

TlsMode tls_mode(const DatabaseUrl& url) {
  return url.options.tls.value_or(is_local(url) ? TlsMode::kOff : TlsMode::kPreferred);
}

std::string tls_file_error(const UrlOptions& options) {
  const std::pair<const char*, const std::string*> files[] = {
      {"ca", &options.ca}, {"cert", &options.cert}, {"key", &options.key}};
  for (const auto& [option, path] : files) {
    if (path->empty()) continue;
    if (std::string error = file_error(option, *path); !error.empty()) return error;
  }
  return "";
}

std::vector<std::pair<const char*, std::string>> postgresql_tls(const DatabaseUrl& url) {
  std::vector<std::pair<const char*, std::string>> parameters;
  if (url.options.tls || std::getenv("PGSSLMODE") == nullptr) {
    parameters.emplace_back("sslmode", sslmode(tls_mode(url)));
  }
  if (!url.options.ca.empty()) parameters.emplace_back("sslrootcert", url.options.ca);
  if (!url.options.cert.empty()) {
    parameters.emplace_back("sslcert", url.options.cert);
    parameters.emplace_back("sslkey", url.options.key);
  }
  return parameters;
}

}  // namespace featherid
