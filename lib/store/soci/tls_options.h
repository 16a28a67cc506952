// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_TLS_OPTIONS_H_
#define FEATHERID_LIB_STORE_SOCI_TLS_OPTIONS_H_

#include <string>
#include <utility>
#include <vector>

#include "lib/store/soci/database_url.h"

namespace featherid {

// The URL's mode; by default kPreferred, or kOff if the database is local.
TlsMode tls_mode(const DatabaseUrl& url);

// Why one of the URL's files cannot be used; empty: no reason is known. The drivers would give
// messages of their own, or ask at the terminal for a key's password.
std::string tls_file_error(const UrlOptions& options);

// The parameters for libpq, with its names. PGSSLMODE and its other variables apply to what the URL
// does not set.
std::vector<std::pair<const char*, std::string>> postgresql_tls(const DatabaseUrl& url);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_TLS_OPTIONS_H_
