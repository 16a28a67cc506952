// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_LOW_PRIORITY_H_
#define FEATHERID_SERVER_OPS_LOW_PRIORITY_H_

#include <sys/resource.h>

namespace featherid {

// Gives way to the other threads from now on: for a thread that writes long answers, which must
// delay no id. On Linux, 0 is the calling thread. If it fails, all threads are equal.
inline void run_at_low_priority() {
  constexpr int kNice = 10;  // of 0 to 19
  ::setpriority(PRIO_PROCESS, 0, kNice);
}

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_LOW_PRIORITY_H_
