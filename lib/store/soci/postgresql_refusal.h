// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_POSTGRESQL_REFUSAL_H_
#define FEATHERID_LIB_STORE_SOCI_POSTGRESQL_REFUSAL_H_

#include <string>

#include "lib/base/clock.h"

namespace featherid {

// Why a server refused a connection: connects again and returns the SQLSTATE of its answer (28P01:
// wrong password). Empty if no server answers by the deadline, or if it lets the client in this
// time. SOCI keeps only the text of the refusal, which is in the server's language.
std::string postgresql_refusal(const std::string& conninfo, TimePoint deadline);

// The code in an error message of libpq that was made with PQERRORS_SQLSTATE; empty: none, because
// it did not come from a server.
std::string sqlstate_in(const std::string& message);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_POSTGRESQL_REFUSAL_H_
