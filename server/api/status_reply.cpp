// SPDX-License-Identifier: MIT
#include "server/api/status_reply.h"

namespace featherid {

void fail(Reply& reply, const Status& status) {
  const std::string& message = status.message();
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return reply.fail(400, ApiCode::kBadRequest, message);
    case StatusCode::kNotFound:
      return reply.fail(404, ApiCode::kNoSuchTag, message);
    case StatusCode::kAlreadyExists:  // or is not where the call expects it
      return reply.fail(409, ApiCode::kConflict, message);
    case StatusCode::kExhausted:
      return reply.fail(409, ApiCode::kTagStopped, message);
    case StatusCode::kDataLoss:
      return reply.fail(409, ApiCode::kDataLoss, message);
    case StatusCode::kFailedPrecondition:
      return reply.fail_for_now(message, ApiCode::kFixFirst);
    default:
      return reply.fail_for_now(message);
  }
}

void fail_ids(Reply& reply, const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kExhausted:
      return fail(reply, status);
    case StatusCode::kDataLoss:
      return reply.fail(409, ApiCode::kTagStopped, status.message());
    case StatusCode::kDeadlineExceeded:
      return reply.fail(504, ApiCode::kUnavailable, status.message());
    default:
      return reply.fail_for_now(status.message());
  }
}

}  // namespace featherid
