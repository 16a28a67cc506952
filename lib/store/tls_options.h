// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_TLS_OPTIONS_H_
#define FEATHERID_LIB_STORE_TLS_OPTIONS_H_

#include <string>
#include <utility>
#include <vector>

#include "lib/store/database_url.h"

namespace featherid {

// What the URL says; else kPreferred, or kOff if no network lies between.
TlsMode tls_mode(const DatabaseUrl& url);

// Why one of the URL's files cannot be used; empty: none is known. The drivers would say it in
// words of their own, or ask at the terminal for a key's password.
std::string tls_file_error(const UrlOptions& options);

// What libpq has to be told, by its names. PGSSLMODE and its other variables hold for what the URL
// does not say.
std::vector<std::pair<const char*, std::string>> postgresql_tls(const DatabaseUrl& url);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_TLS_OPTIONS_H_
