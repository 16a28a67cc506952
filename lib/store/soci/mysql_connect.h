// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_MYSQL_CONNECT_H_
#define FEATHERID_LIB_STORE_SOCI_MYSQL_CONNECT_H_

#include <chrono>

#include "lib/store/soci/soci_session.h"

namespace featherid {

// Opens `session` with everything in the URL. This includes TLS, of which SOCI passes on only three
// files. Throws what SOCI throws.
void open_mysql(soci::session& session, const DatabaseUrl& url,
                std::chrono::seconds connect_timeout, std::chrono::seconds answer_timeout);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_MYSQL_CONNECT_H_
