// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_ADDRESSES_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_ADDRESSES_H_

#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "lib/store/soci/database_url.h"

namespace featherid {

// The addresses of one database, and what its options name, so that both stay the same if the
// working directory changes. kInvalidArgument: an address or option is wrong, or the addresses are
// not of one database.
Result<std::vector<DatabaseUrl>> parse_addresses(const std::vector<std::string>& urls,
                                                 SociStoreOptions* options);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_ADDRESSES_H_
