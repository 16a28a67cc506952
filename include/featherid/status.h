// SPDX-License-Identifier: MIT
#ifndef FEATHERID_STATUS_H_
#define FEATHERID_STATUS_H_

#include <atomic>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "featherid/internal/export.h"

namespace featherid {

// Error codes, chosen by what the caller should do next.
enum class StatusCode {
  kOk = 0,
  kInvalidArgument,     // fix the call
  kNotFound,            // no such tag: create it
  kAlreadyExists,       // the tag is already there: use it
  kUnavailable,         // retry later: the store cannot serve, or no id is in memory now
  kDeadlineExceeded,    // the wait ended: retry, or wait longer
  kExhausted,           // the tag reached the end of its ids: use another tag
  kDataLoss,            // the store went backwards: an operator must act
  kFailedPrecondition,  // somebody must first fix what the message names, such as a missing table;
                        // or this object no longer works: it was shut down, or forked
};

// The name of a code as logs show it: "unavailable". Never null.
FEATHERID_EXPORT const char* to_string(StatusCode code);

class Status;
namespace internal {
// The code with the message "out of memory", for places that must not fail half-way. Needs no
// memory.
FEATHERID_EXPORT Status out_of_memory(StatusCode code) noexcept;
}  // namespace internal

// Success, or a code with a sentence that says what to do. Success costs one null pointer. Copies
// share the sentence, so only making an error requires memory. A Status is a value: several threads
// may read one at once, but not while another thread writes it.
class [[nodiscard]] FEATHERID_EXPORT Status {
 public:
  Status() = default;  // success
  Status(StatusCode code, std::string message);

  Status(const Status& other) noexcept : rep_(other.rep_) {
    // relaxed: `other` holds a share meanwhile.
    if (rep_ != nullptr) rep_->shares.fetch_add(1, std::memory_order_relaxed);
  }
  Status(Status&& other) noexcept : rep_(std::exchange(other.rep_, nullptr)) {}
  Status& operator=(Status other) noexcept {
    std::swap(rep_, other.rep_);
    return *this;
  }
  ~Status() {
    if (rep_ != nullptr) release(rep_);
  }

  bool ok() const { return rep_ == nullptr; }
  StatusCode code() const { return rep_ != nullptr ? rep_->code : StatusCode::kOk; }

  // Empty on success. It names what failed and what to do. It contains no secret.
  const std::string& message() const&;
  std::string message() const&& { return message(); }

  // "unavailable: …", or "ok".
  std::string to_string() const;

 private:
  friend Status internal::out_of_memory(StatusCode code) noexcept;

  struct Rep {
    std::atomic<std::uint32_t> shares;
    const StatusCode code;
    const std::string message;
  };
  static void release(Rep* rep) noexcept;

  Rep* rep_ = nullptr;  // null on success
};

namespace internal {
// Prints the status and stops the program, because reading a missing value is a bug of the caller.
[[noreturn]] FEATHERID_EXPORT void die_of_missing_value(const Status& status);
}  // namespace internal

// A value, or the Status that says why there is none. After a move it is still a value or an error,
// as before. A temporary returns value and status by value, so that
// `for (IdRange range : *ids.next_range("order", 5))` does not read a destroyed result. `->` points
// into the temporary: use it within one expression.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): so that
  Result(Status status) : status_(std::move(status)) {  // `return id;` and `return status;` work
    if (status_.ok()) internal::die_of_missing_value(status_);
  }
  Result(const Result& other) : status_(other.status_) {
    if (ok()) new (&value_) T(other.value_);
  }
  Result(Result&& other) noexcept : status_(other.status_.ok() ? Status() : other.status_) {
    if (ok()) new (&value_) T(std::move(other.value_));
  }
  Result& operator=(Result other) noexcept {
    if (ok()) value_.~T();
    status_ = other.status_;  // copied: `other` must still know that it holds no value
    if (ok()) new (&value_) T(std::move(other.value_));
    return *this;
  }
  ~Result() {
    if (ok()) value_.~T();
  }

  bool ok() const { return status_.ok(); }
  explicit operator bool() const { return ok(); }
  const Status& status() const& { return status_; }
  Status status() const&& { return status_; }

  // The value. If there is none, the program stops.
  T& value() & { return checked(), value_; }
  const T& value() const& { return checked(), value_; }
  T value() && { return checked(), std::move(value_); }
  T value() const&& { return checked(), value_; }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T operator*() const&& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void checked() const {
    if (!ok()) internal::die_of_missing_value(status_);
  }

  Status status_;
  union {
    T value_;  // alive exactly while status_ is ok
  };
};

}  // namespace featherid

#endif  // FEATHERID_STATUS_H_
