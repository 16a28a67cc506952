// SPDX-License-Identifier: MIT
#include "lib/store/http_client/http_servers.h"

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/address_choice.h"
#include "lib/base/mutex.h"
#include "lib/base/watchdog.h"
#include "lib/store/http_client/host_resolver.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

constexpr std::size_t kIdleMax = 8;  // connections that one server keeps for later calls
// A server closes what is silent for its idle-timeout, 75 s by default.
constexpr std::chrono::seconds kIdleFor{30};

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

struct HttpServers::Impl {
  struct Server {
    explicit Server(HttpAddress address_in)
        : address(std::move(address_in)), resolver(address.host) {}

    const HttpAddress address;
    HostResolver resolver;
    Mutex mutex;
    std::vector<std::unique_ptr<HttpConnection>> idle GUARDED_BY(mutex);  // the newest last
    bool failing GUARDED_BY(mutex) = false;                               // as the log knows it
  };

  Impl(std::vector<HttpAddress> addresses, Options options_in)
      : options(std::move(options_in)), choice(addresses.size()) {
    // Processes that start together begin with different servers.
    const auto first = static_cast<std::ptrdiff_t>(std::random_device{}() % addresses.size());
    std::rotate(addresses.begin(), addresses.begin() + first, addresses.end());
    for (HttpAddress& address : addresses) servers.emplace_back(std::move(address));
  }

  // How a try with one server ended.
  struct Tried {
    Result<Answer> answer;
    bool sent = false;      // the server may have done what the request asks for
    bool answered = false;  // with whatever
    bool serves() const { return answer.ok(); }
  };
  Tried ask(std::size_t number, const HttpClientRequest& request, TimePoint deadline);
  void note(std::size_t number, const Tried& tried);
  Result<std::unique_ptr<HttpConnection>> connection(Server& server, TimePoint deadline);
  Result<std::unique_ptr<HttpConnection>> connect(Server& server, TimePoint deadline);
  void keep(Server& server, std::unique_ptr<HttpConnection> connection);

  const internal::ForkGuard fork_guard{};
  const Options options;
  Watchdog watchdog;  // outlives the connections
  AddressChoice choice;
  std::deque<Server> servers;
};

// An idle connection that still works, or a new one.
Result<std::unique_ptr<HttpConnection>> HttpServers::Impl::connection(Server& server,
                                                                      TimePoint deadline) {
  const TimePoint fresh = now() - kIdleFor;
  for (;;) {
    std::unique_ptr<HttpConnection> kept;
    {
      const MutexLock lock(server.mutex);
      if (server.idle.empty()) break;
      kept = std::move(server.idle.back());
      server.idle.pop_back();
    }
    if (kept->last_used() > fresh && kept->usable()) return kept;
  }
  return connect(server, deadline);
}

Result<std::unique_ptr<HttpConnection>> HttpServers::Impl::connect(Server& server,
                                                                   TimePoint deadline) {
  const Result<std::vector<std::string>> hosts = server.resolver.resolve(deadline);
  if (!hosts.ok()) return hosts.status();
  HttpConnection::Access access = options.access;
  if (options.token) access.token = options.token();
  Result<std::unique_ptr<HttpConnection>> opened = Status(StatusCode::kUnavailable, "no host");
  for (const std::string& host : *hosts) {
    opened = HttpConnection::open(server.address, host, access, watchdog, deadline);
    if (opened.ok() || now() >= deadline) break;
  }
  return opened;
}

void HttpServers::Impl::keep(Server& server, std::unique_ptr<HttpConnection> connection) {
  if (!connection->usable()) return;
  const MutexLock lock(server.mutex);
  if (server.idle.size() < kIdleMax) server.idle.push_back(std::move(connection));
}

// After a failure, the next call opens a connection, which shows early whether the server answers.
void HttpServers::Impl::note(std::size_t number, const Tried& tried) {
  Server& server = servers[number];
  if (tried.serves()) {
    choice.worked(number);
  } else {
    choice.failed(number, now());
  }
  std::vector<std::unique_ptr<HttpConnection>> dropped;
  {
    const MutexLock lock(server.mutex);
    if (!tried.serves()) dropped.swap(server.idle);
    if (std::exchange(server.failing, !tried.serves()) == !tried.serves()) return;
  }
  if (!options.log) return;
  options.log(tried.serves() ? LogLevel::kInfo : LogLevel::kWarn,
              tried.serves()
                  ? server.address.url + " works again"
                  : server.address.url + " fails, and others are asked first for a while: " +
                        tried.answer.status().message());
}

HttpServers::Impl::Tried HttpServers::Impl::ask(std::size_t number,
                                                const HttpClientRequest& request,
                                                TimePoint deadline) {
  Server& server = servers[number];
  const TimePoint connected_by = std::min(deadline, now() + options.connect_timeout);
  Result<std::unique_ptr<HttpConnection>> opened = connection(server, connected_by);
  if (!opened.ok()) return {opened.status()};
  std::unique_ptr<HttpConnection> used = *std::move(opened);
  Result<HttpAnswer> answer = used->send(request, deadline);
  if (!answer.ok()) return {answer.status(), true};
  // A connection keeps its token. The next one gets a new one.
  if (answer->status != 401) keep(server, std::move(used));
  if (Status fails = options.judge(*answer, server.address.url); !fails.ok()) {
    const bool undone = options.proves_undone && options.proves_undone(*answer);
    return {fails, !undone, true};
  }
  return {Answer{*std::move(answer), number}, true, true};
}

HttpServers::HttpServers(std::vector<HttpAddress> addresses, Options options)
    : impl_(std::make_unique<Impl>(std::move(addresses), std::move(options))) {}

// A child's copies of the connections are the parent's, and their threads are not in the child.
HttpServers::~HttpServers() {
  if (impl_->fork_guard.forked()) static_cast<void>(impl_.release());
}

Result<HttpServers::Answer> HttpServers::call(const Call& call) {
  if (impl_->fork_guard.forked()) return store_was_forked();
  const TimePoint deadline = call.deadline.value_or(now() + impl_->options.call_timeout);
  std::vector<std::size_t> order = impl_->choice.order(now());
  if (call.only_server) order = {*call.only_server};
  Status last(StatusCode::kUnavailable,
              "the call's time was over before a server was asked; allow more time");
  for (std::size_t i = 0; i < order.size() && now() < deadline; ++i) {
    // What may be asked again elsewhere leaves time for that.
    const bool leaves_time = call.repeat == Repeat::kAlways && i + 1 < order.size();
    const TimePoint by = leaves_time ? now() + (deadline - now()) / 2 : deadline;
    Impl::Tried tried = impl_->ask(order[i], call.request, by);
    impl_->note(order[i], tried);
    if (tried.serves()) return std::move(tried.answer);
    last = tried.answer.status();
    const bool next = !tried.sent || call.repeat == Repeat::kAlways ||
                      (tried.answered && call.repeat == Repeat::kIfRefused);
    if (!next) break;
  }
  return last;
}

const std::string& HttpServers::url(std::size_t server) const {
  return impl_->servers[server].address.url;
}

}  // namespace featherid
