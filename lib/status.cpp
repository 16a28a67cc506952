// SPDX-License-Identifier: MIT
#include "featherid/status.h"

#include <cstdio>
#include <cstdlib>

namespace featherid {

const char* to_string(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInvalidArgument:
      return "invalid argument";
    case StatusCode::kNotFound:
      return "not found";
    case StatusCode::kAlreadyExists:
      return "already exists";
    case StatusCode::kUnavailable:
      return "unavailable";
    case StatusCode::kDeadlineExceeded:
      return "deadline exceeded";
    case StatusCode::kExhausted:
      return "exhausted";
    case StatusCode::kDataLoss:
      return "data loss";
    case StatusCode::kFailedPrecondition:
      return "failed precondition";
  }
  return "unknown code";
}

Status::Status(StatusCode code, std::string message)
    : rep_(code == StatusCode::kOk ? nullptr
                                   : std::make_unique<Rep>(Rep{code, std::move(message)})) {}

const std::string& Status::message() const {
  static const std::string kNone;
  return rep_ ? rep_->message : kNone;
}

std::string Status::to_string() const {
  return rep_ ? std::string(featherid::to_string(rep_->code)) + ": " + rep_->message : "ok";
}

namespace internal {
void die_of_missing_value(const Status& status) {
  std::fprintf(stderr, "featherid: the value of a Result was taken, but it holds: %s\n",
               status.to_string().c_str());
  std::abort();
}
}  // namespace internal

}  // namespace featherid
