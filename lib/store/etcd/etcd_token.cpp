// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_token.h"

namespace featherid {

void EtcdToken::end_login(const Result<std::string>& token) {
  const MutexLock lock(mutex_);
  logging_in_ = false;
  ++logins_;
  last_login_ = token.status();
  if (token.ok()) token_ = *token;
  login_ended_.notify_all();
}

Result<std::string> EtcdToken::get(const std::optional<std::string>& refused, TimePoint deadline) {
  {
    const MutexLock lock(mutex_);
    for (;;) {
      if (token_ && token_ != refused) return *token_;
      if (!logging_in_) break;
      const std::int64_t before = logins_;
      const bool in_time = login_ended_.wait_until(mutex_, deadline);
      if (logins_ != before && !last_login_.ok()) return last_login_;
      if (logins_ == before && !in_time) {
        return Status(StatusCode::kUnavailable,
                      "the login at etcd has not ended in time; allow more time if etcd is slow");
      }
    }
    logging_in_ = true;
  }
  try {
    Result<std::string> token = log_in_(deadline);
    end_login(token);
    return token;
  } catch (...) {  // no memory
    end_login(Status(StatusCode::kUnavailable, "the login at etcd failed"));
    throw;
  }
}

}  // namespace featherid
