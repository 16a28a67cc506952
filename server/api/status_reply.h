// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_STATUS_REPLY_H_
#define FEATHERID_SERVER_API_STATUS_REPLY_H_

#include "featherid/status.h"
#include "server/http/reply.h"

namespace featherid {

// The answer to a call of the store that failed. The `code` tells a program which error it was.
void fail(Reply& reply, const Status& status);

// The same for calls for ids, whose codes the first service had: fewer, since all that ends a tag
// is one to a caller, and so is all that passes.
void fail_ids(Reply& reply, const Status& status);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_STATUS_REPLY_H_
