// SPDX-License-Identifier: MIT
#include "lib/store/soci/conflict_count.h"

#include <utility>

namespace featherid {

std::int64_t ConflictCount::add(TimePoint now) {
  const MutexLock lock(mutex_);
  ++untold_;
  if (now < tell_at_) return 0;
  tell_at_ = now + kTellAfter;
  return std::exchange(untold_, 0);
}

}  // namespace featherid
