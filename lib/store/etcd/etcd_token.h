// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_TOKEN_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_TOKEN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "featherid/status.h"
#include "lib/base/clock.h"
#include "lib/base/mutex.h"

namespace featherid {

// The token of the last login, for all calls of a store. One call at a time logs in, and those that
// need its token wait for it: a login costs etcd as much as a hundred leases, so many at once could
// take longer than a token lasts. Thread-safe.
class EtcdToken {
 public:
  using LogIn = std::function<Result<std::string>(TimePoint deadline)>;
  explicit EtcdToken(LogIn log_in) : log_in_(std::move(log_in)) {}

  // A token other than `refused`. Empty: the cluster requires none. kUnavailable: none came by the
  // deadline. Else the errors of the login.
  Result<std::string> get(const std::optional<std::string>& refused, TimePoint deadline)
      EXCLUDES(mutex_);

 private:
  void end_login(const Result<std::string>& token) EXCLUDES(mutex_);

  const LogIn log_in_;
  Mutex mutex_;
  CondVar login_ended_;
  bool logging_in_ GUARDED_BY(mutex_) = false;
  std::int64_t logins_ GUARDED_BY(mutex_) = 0;  // that have ended
  Status last_login_ GUARDED_BY(mutex_);
  std::optional<std::string> token_ GUARDED_BY(mutex_);
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_TOKEN_H_
