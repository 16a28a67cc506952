// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_client.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "lib/base/mutex.h"
#include "lib/store/etcd/etcd_login.h"
#include "lib/store/etcd/etcd_refusal.h"
#include "lib/store/etcd/etcd_token.h"
#include "lib/store/etcd/member_clock.h"
#include "lib/store/http_client/http_servers.h"
#include "lib/store/time_floor_rules.h"

namespace featherid {

namespace {

using Json = nlohmann::json;
using Repeat = HttpServers::Repeat;

TimePoint now() { return std::chrono::steady_clock::now(); }

// The token may have expired on its way, or been revoked.
Status new_token_refused(const Status& refusal) {
  return {StatusCode::kUnavailable,
          refusal.message() +
              ", although a login has just succeeded; if this goes on, look for members with "
              "different --auth-token, and for clocks that differ"};
}

}  // namespace

HttpServers::Options etcd_servers_options(const EtcdUrl& url, const EtcdStoreOptions& options) {
  HttpServers::Options servers;
  servers.call_timeout = options.call_timeout;
  servers.connect_timeout = options.connect_timeout;
  servers.access.ca_file = url.ca;
  servers.access.cert_file = url.cert;
  servers.access.key_file = url.key;
  servers.access.words = {
      "the address of the member in the URL", "the option ca of the URL", "the URL",
      "use etcd:// if the member has no certificate",
      "featherid doctor, or etcdctl alarm list and etcdctl endpoint status, say why"};
  // A member says so only if it reaches a majority.
  servers.access.opening = "/health";
  servers.access.must_be_healthy = true;
  servers.judge = cannot_serve;
  servers.proves_undone = proves_undone;
  servers.log = options.log;
  return servers;
}

struct EtcdClient::Impl {
  Impl(EtcdUrl url_in, const EtcdStoreOptions& options_in)
      : url(std::move(url_in)),
        options(options_in),
        own_clock(options.clock ? options.clock : system_time),
        guard(cluster_key(url)),
        servers(url.members, etcd_servers_options(url, options)) {}

  bool has_login() const { return !url.user.empty() || !options.database_file.empty(); }
  // A token; empty: none is required.
  Result<std::string> log_in(TimePoint deadline);
  Result<EtcdTxn::Answer> read(const EtcdTxn& txn, const ClusterGuard::Seen& before, TimePoint sent,
                               const HttpServers::Answer& answer) EXCLUDES(mutex);

  const EtcdUrl url;
  const EtcdStoreOptions options;
  const WallClock own_clock;
  ClusterGuard guard;
  MemberClock clock;
  Mutex mutex;
  std::string last_member GUARDED_BY(mutex);
  HttpServers servers;
  EtcdToken token{[this](TimePoint deadline) { return log_in(deadline); }};
};

EtcdClient::EtcdClient(EtcdUrl url, const EtcdStoreOptions& options)
    : impl_(std::make_unique<Impl>(std::move(url), options)) {}
EtcdClient::~EtcdClient() = default;

TimePoint EtcdClient::deadline() const { return now() + impl_->options.call_timeout; }

// A cluster without authentication gives no token and requires none.
Result<std::string> EtcdClient::Impl::log_in(TimePoint deadline) {
  const Result<EtcdLogin> login = read_login(url, options.database_file);
  if (!login.ok()) return login.status();
  if (login->user.empty()) return std::string();
  const std::string body = Json{{"name", login->user}, {"password", login->password}}.dump(
      -1, ' ', true, Json::error_handler_t::replace);
  const Result<HttpServers::Answer> answer = servers.call(
      {{"POST", "/v3/auth/authenticate", body}, Repeat::kAlways, std::nullopt, deadline});
  if (!answer.ok()) return answer.status();
  const EtcdRefusal refusal = refusal_of(answer->http, servers.url(answer->server));
  if (refusal.status.message().find("authentication is not enabled") != std::string::npos) {
    return std::string();
  }
  if (!refusal.status.ok()) return refusal.status;
  const Json told = Json::parse(answer->http.body, nullptr, false);
  if (told.is_object() && told.contains("token") && told["token"].is_string()) {
    return told["token"].get<std::string>();
  }
  return Status(StatusCode::kFailedPrecondition,
                servers.url(answer->server) + " gives no token for the login in the URL");
}

Result<EtcdTxn::Answer> EtcdClient::Impl::read(const EtcdTxn& txn, const ClusterGuard::Seen& before,
                                               TimePoint sent, const HttpServers::Answer& answer) {
  clock.learn(answer.http.date, sent, SteadyClock().boot_now(), own_clock());
  const std::string& member = servers.url(answer.server);
  {
    const MutexLock lock(mutex);
    last_member = member;
  }
  Result<EtcdTxn::Answer> told = txn.read_answer(answer.http.body);
  if (!told.ok()) return Status(told.status().code(), member + ": " + told.status().message());
  const bool wrote = txn.writes() && told->succeeded;
  Status lost = guard.judge(before, told->cluster, told->revision, wrote);
  if (!lost.ok()) return lost;
  return told;
}

Result<EtcdTxn::Answer> EtcdClient::run(const EtcdTxn& txn, TimePoint deadline) {
  const std::string body = txn.body();
  std::optional<std::string> refused;  // the token, before the transaction was applied
  for (;;) {
    Result<std::string> token = std::string();
    if (impl_->has_login()) token = impl_->token.get(refused, deadline);
    if (!token.ok()) return token.status();
    const ClusterGuard::Seen before = impl_->guard.seen();
    const TimePoint sent = SteadyClock().boot_now();
    const Repeat repeat = txn.writes() ? Repeat::kNever : Repeat::kAlways;
    const Result<HttpServers::Answer> answer =
        impl_->servers.call({{"POST", "/v3/kv/txn", body, *token}, repeat, std::nullopt, deadline});
    if (!answer.ok()) return answer.status();
    const EtcdRefusal refusal = refusal_of(answer->http, impl_->servers.url(answer->server));
    if (refusal.status.ok()) return impl_->read(txn, before, sent, *answer);
    if (!refusal.needs_login || !impl_->has_login()) return refusal.status;
    if (refused) return token->empty() ? refusal.status : new_token_refused(refusal.status);
    refused = *token;
  }
}

std::string EtcdClient::cluster() const { return impl_->guard.seen().cluster; }

std::string EtcdClient::member() const {
  const MutexLock lock(impl_->mutex);
  return impl_->last_member;
}

Result<WallTime> EtcdClient::time() const {
  const std::optional<WallTime> time = impl_->clock.time(SteadyClock().boot_now());
  if (time) return *time;
  return Status(StatusCode::kFailedPrecondition,
                "the answers of etcd have no header Date, but time floors and periods follow its "
                "clock; look for a proxy in between that removes it");
}

WallTime EtcdClient::own_time() const { return impl_->own_clock(); }

Status EtcdClient::another_cluster(const std::string& recorded) const {
  return impl_->guard.another_cluster(recorded, cluster());
}

}  // namespace featherid
