// SPDX-License-Identifier: MIT
#include "server/store/wait_for_database.h"

#include <thread>

namespace featherid {

namespace {
constexpr std::chrono::milliseconds kPause{250};
}  // namespace

Status wait_for_database(const std::function<Status()>& ask, std::chrono::milliseconds wait,
                         const std::function<void(const std::string& text)>& say) {
  const auto until = std::chrono::steady_clock::now() + wait;
  std::string said;
  for (;;) {
    Status status = ask();
    const bool final = status.ok() || status.code() == StatusCode::kInvalidArgument ||
                       status.code() == StatusCode::kDataLoss;
    if (final || std::chrono::steady_clock::now() + kPause >= until) return status;
    if (status.message() != said) say("waiting for the database: " + status.message());
    said = status.message();
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace featherid
