// SPDX-License-Identifier: MIT
#include "cli/context.h"

#include <pwd.h>
#include <unistd.h>

#include <istream>
#include <ostream>
#include <utility>

#include "cli/present_period.h"
#include "lib/base/utf8.h"
#include "server/store/wait_for_database.h"

namespace featherid {

namespace {

// A database may be behind a server.
Config with_token(Config config, const std::string& token) {
  config.store.token = token;
  return config;
}

}  // namespace

Context::Context(Config config, std::string token, bool json, const Console& console)
    : config_(with_token(std::move(config), token)),
      token_(std::move(token)),
      console_(console),
      out_(console.out, json, console.colours) {}

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

Status Context::require_database(const char* command) const {
  if (config_.remote.url.empty()) return {};
  return {StatusCode::kInvalidArgument,
          std::string("featherid ") + command + " works only on the database, but " +
              config_.given.at("server").origin + " names a server; to ignore it, add --server="};
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

Result<ServerClient*> Context::server() {
  if (config_.remote.url.empty() || server_) return server_.get();
  Result<std::unique_ptr<ServerClient>> opened =
      ServerClient::open(config_.remote, token_, config_.store.call_timeout);
  if (!opened.ok()) return opened.status();
  server_ = *std::move(opened);
  return server_.get();
}

Result<TagAdmin*> Context::tags() {
  const Result<ServerClient*> through = server();
  if (!through.ok()) return through.status();
  if (*through != nullptr) return &(*through)->tags();
  const Result<Store*> store = this->store();
  if (!store.ok()) return store.status();
  return static_cast<TagAdmin*>(*store);
}

Result<PeriodRanges> Context::take(const std::string& tag, std::int64_t count_ids) {
  const Result<ServerClient*> through = server();
  if (!through.ok()) return through.status();
  if (*through != nullptr) return (*through)->take(tag, count_ids);
  const Result<Store*> store = this->store();
  if (!store.ok()) return store.status();
  Result<Period> period = present_period(**store, tag);
  if (!period.ok()) return period.status();
  const Result<IdRange> range = lease_in_present(**store, tag, count_ids, &*period);
  if (!range.ok()) return range.status();
  return PeriodRanges{{*range}, *period};
}

std::string Context::source() const {
  return config_.remote.url.empty() ? redacted(config_.store.addresses) : config_.remote.url;
}

std::string Context::person() const {
  const passwd* const user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : "uid " + std::to_string(::geteuid());
}

Status Context::confirm(const std::string& tag, const std::string& what, bool yes) {
  if (yes) return {};
  if (!console_.asks) {
    return {StatusCode::kInvalidArgument, what + "; to do it anyway, add --yes"};
  }
  console_.err << printable(what) << "\nType the name of the tag to confirm: " << std::flush;
  std::string answer;
  std::getline(console_.in, answer);
  if (answer == tag) return {};
  return {StatusCode::kFailedPrecondition, "the name differs; nothing was changed"};
}

}  // namespace featherid
