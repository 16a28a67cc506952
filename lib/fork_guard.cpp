// SPDX-License-Identifier: MIT
#include "featherid/fork_guard.h"

#include <pthread.h>

namespace featherid::internal {

ForkEpoch fork_epoch;

namespace {
// At load, so that whoever forks first finds it. It takes no lock and walks no list: a handler that
// waited for anything could meet other libraries' handlers in a deadlock.
[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { fork_epoch.value += kForkEpochUnit; });
}  // namespace

}  // namespace featherid::internal
