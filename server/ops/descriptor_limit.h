// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_DESCRIPTOR_LIMIT_H_
#define FEATHERID_SERVER_OPS_DESCRIPTOR_LIMIT_H_

#include "server/net/net_options.h"

namespace featherid {

// Raises the limit of open files to its hard limit, and keeps the number of connections below it. A
// flood of connections must not use up the descriptors that the store needs.
NetOptions within_descriptor_limit(NetOptions options);

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_DESCRIPTOR_LIMIT_H_
