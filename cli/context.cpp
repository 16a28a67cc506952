// SPDX-License-Identifier: MIT
#include "cli/context.h"

#include <istream>
#include <ostream>
#include <utility>

#include "server/store/wait_for_database.h"

namespace featherid {

Context::Context(Config config, bool json, const Console& console)
    : config_(std::move(config)), console_(console), out_(console.out, json, console.colours) {}

void Context::warn(const std::string& text) {
  console_.err << "featherid: " << printable(text) << std::endl;
}

void Context::progress(double done) {
  if (!console_.watched) return;
  constexpr int kWidth = 40;
  const int filled = static_cast<int>(done * kWidth);
  console_.err << "\r[" << std::string(filled, '#') << std::string(kWidth - filled, ' ') << "] "
               << static_cast<int>(done * 100) << " %" << (done < 1 ? "" : "\n") << std::flush;
}

Result<Store*> Context::store() {
  if (store_) return store_.get();
  if (Status missing = check_store_exists(config_.store); !missing.ok()) {
    return Status(StatusCode::kFailedPrecondition,
                  missing.message() + "; create it with: featherid init");
  }
  Result<std::unique_ptr<Store>> opened = open_store(config_.store);
  if (!opened.ok()) return opened.status();
  const auto ask = [&] {
    const Status status = (*opened)->find("health").status();
    return status.code() == StatusCode::kNotFound ? Status() : status;
  };
  if (config_.wait_for_database.count() > 0) {
    const Status status = wait_for_database(ask, config_.wait_for_database,
                                            [this](const std::string& text) { warn(text); });
    if (!status.ok()) return status;
  }
  store_ = *std::move(opened);
  return store_.get();
}

Status Context::confirm(const std::string& tag, const std::string& what, bool yes) {
  if (yes) return {};
  if (!console_.asks) {
    return {StatusCode::kInvalidArgument, what + "; if you mean it, add --yes"};
  }
  console_.err << printable(what) << "\nType the name of the tag to confirm: " << std::flush;
  std::string answer;
  std::getline(console_.in, answer);
  if (answer == tag) return {};
  return {StatusCode::kFailedPrecondition, "the name differs; nothing was changed"};
}

}  // namespace featherid
