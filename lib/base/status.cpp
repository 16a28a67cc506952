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
    : rep_(code == StatusCode::kOk ? nullptr : new Rep{{1}, code, std::move(message)}) {}

void Status::release(Rep* rep) noexcept {
  // acq_rel: the deletion comes after every other owner's last access.
  if (rep->shares.fetch_sub(1, std::memory_order_acq_rel) == 1) delete rep;
}

const std::string& Status::message() const& {
  static const std::string kNone;
  return rep_ != nullptr ? rep_->message : kNone;
}

std::string Status::to_string() const {
  return rep_ != nullptr ? std::string(featherid::to_string(rep_->code)) + ": " + rep_->message
                         : "ok";
}

namespace internal {

Status out_of_memory(StatusCode code) noexcept {
  // One for each code, made without the heap: the message fits into the string itself. Never
  // destroyed, because threads may outlive main(). Its own share keeps release() from deleting it.
  struct Spare {
    union {
      Status::Rep rep;
    };
    explicit Spare(StatusCode of) : rep{{1}, of, "out of memory"} {}
    Spare(const Spare&) = delete;
    Spare& operator=(const Spare&) = delete;
    ~Spare() {}  // NOLINT(modernize-use-equals-default): a defaulted one would be deleted
  };
  static Spare spares[] = {
      Spare(StatusCode::kOk),
      Spare(StatusCode::kInvalidArgument),
      Spare(StatusCode::kNotFound),
      Spare(StatusCode::kAlreadyExists),
      Spare(StatusCode::kUnavailable),
      Spare(StatusCode::kDeadlineExceeded),
      Spare(StatusCode::kExhausted),
      Spare(StatusCode::kDataLoss),
      Spare(StatusCode::kFailedPrecondition),
  };
  Status status;
  if (code == StatusCode::kOk) return status;
  Status::Rep& rep = spares[static_cast<int>(code)].rep;
  rep.shares.fetch_add(1, std::memory_order_relaxed);
  status.rep_ = &rep;
  return status;
}

void die_of_missing_value(const Status& status) {
  std::fprintf(stderr,
               "featherid: the value of a Result was read, but it has none; its status: %s\n",
               status.to_string().c_str());
  std::abort();
}
}  // namespace internal

}  // namespace featherid
