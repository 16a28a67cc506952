// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_WAIT_FOR_DATABASE_H_
#define FEATHERID_SERVER_STORE_WAIT_FOR_DATABASE_H_

#include <chrono>
#include <functional>
#include <string>

#include "featherid/status.h"

namespace featherid {

// For containers, which start in any order: calls `ask` until it returns OK, for up to `wait`, and
// once in any case. Returns its last status. `say` is told why it waits, whenever the reason
// changes. Only errors that no time can fix end the wait: kInvalidArgument and kDataLoss.
Status wait_for_database(const std::function<Status()>& ask, std::chrono::milliseconds wait,
                         const std::function<void(const std::string& text)>& say);

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_WAIT_FOR_DATABASE_H_
