// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_STATUS_REPLY_H_
#define FEATHERID_SERVER_API_STATUS_REPLY_H_

#include "featherid/status.h"
#include "server/http/reply.h"

namespace featherid {

// The answer to a call of the store that failed. The `code` tells a program which error it was.
void fail(Reply& reply, const Status& status);

// The same for calls for ids. They have the codes of the first service, which are fewer: one for
// all errors that stop a tag, and one for all that pass.
void fail_ids(Reply& reply, const Status& status);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_STATUS_REPLY_H_
