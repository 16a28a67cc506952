// SPDX-License-Identifier: MIT
#include "lib/store/http/api_client.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <fstream>
#include <random>

#include "featherid/internal/fork_guard.h"
#include "lib/base/address_choice.h"
#include "lib/base/bounds.h"
#include "lib/base/mutex.h"
#include "lib/base/percent.h"
#include "lib/base/watchdog.h"
#include "lib/store/http/api_answer.h"
#include "lib/store/http/host_resolver.h"
#include "lib/store/http/http_address.h"
#include "lib/store/http/http_connection.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kServersMax = 16;
constexpr std::size_t kIdleMax = 8;  // connections that one server keeps for later calls
// A server closes what is silent for its idle-timeout, 75 s by default.
constexpr std::chrono::seconds kIdleFor{30};

// The first word of the file. Lines that begin with '#' are comments.
Result<std::string> read_token(const std::string& path, const ApiClient::Words& words) {
  std::ifstream file(path);
  const auto bad = [&](const char* what) {
    return Status(StatusCode::kInvalidArgument, words.token + ": " + path + " " + what);
  };
  for (std::string line; std::getline(file, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.find_first_of(" \t") == std::string::npos) return line;
    return bad("must hold one token, without its name and role");
  }
  return bad(file.is_open() ? "contains no token" : "cannot be read");
}

Status check_token(const std::string& token) {
  const bool good =
      std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (good) return {};
  return {StatusCode::kInvalidArgument, "a token must be one word of printable ASCII characters"};
}

Status check_options(const HttpStoreOptions& options, const ApiClient::Words& words) {
  if (Status s = check_bounds("call_timeout", options.call_timeout.count(), 100, 60000); !s.ok()) {
    return s;
  }
  if (Status s = check_bounds("connect_timeout", options.connect_timeout.count(), 10,
                              options.call_timeout.count());
      !s.ok()) {
    return s;
  }
  if (!options.ca_file.empty() && !std::ifstream(options.ca_file)) {
    return {StatusCode::kInvalidArgument,
            words.ca_file + ": " + options.ca_file + " cannot be read"};
  }
  if (!options.token_file.empty()) return read_token(options.token_file, words).status();
  return check_token(options.token);
}

std::string target_of(const ApiClient::Call& call) {
  std::string target = call.path;
  char separator = '?';
  for (const auto& [name, value] : call.parameters) {
    target += separator;
    target += std::string(name) + "=" + percent_encode(value);
    separator = '&';
  }
  return target;
}

}  // namespace

struct ApiClient::Impl {
  struct Server {
    explicit Server(HttpAddress address_in)
        : address(std::move(address_in)), resolver(address.host) {}

    const HttpAddress address;
    HostResolver resolver;
    Mutex mutex;
    std::vector<std::unique_ptr<HttpConnection>> idle GUARDED_BY(mutex);  // the newest last
    bool failing GUARDED_BY(mutex) = false;                               // as the log knows it
  };

  Impl(std::vector<HttpAddress> addresses, HttpStoreOptions options_in, Words words_in)
      : options(std::move(options_in)), words(std::move(words_in)), choice(addresses.size()) {
    // Processes that start together begin with different servers.
    const auto first = static_cast<std::ptrdiff_t>(std::random_device{}() % addresses.size());
    std::rotate(addresses.begin(), addresses.begin() + first, addresses.end());
    for (HttpAddress& address : addresses) servers.emplace_back(std::move(address));
    token = options.token;
  }

  // How a try with one server ended.
  struct Tried {
    Result<Answer> answer;
    bool sent = false;      // the server may have got the request
    bool answered = false;  // with whatever
    bool serves = false;    // it did not say that it cannot
  };
  Tried ask(std::size_t number, const Call& call, const std::string& target, TimePoint deadline);
  Result<std::unique_ptr<HttpConnection>> connection(Server& server, TimePoint deadline);
  Result<std::unique_ptr<HttpConnection>> connect(Server& server, TimePoint deadline);
  void keep(Server& server, std::unique_ptr<HttpConnection> connection);
  void note(Server& server, bool failed, const Status& why);
  std::string current_token() EXCLUDES(token_mutex);

  const internal::ForkGuard fork_guard{};
  const HttpStoreOptions options;
  const Words words;
  Watchdog watchdog;  // outlives the connections
  AddressChoice choice;
  std::deque<Server> servers;
  Mutex token_mutex;
  std::string token GUARDED_BY(token_mutex);  // as it was read last
};

std::string ApiClient::Impl::current_token() {
  if (options.token_file.empty()) return options.token;
  Result<std::string> read = read_token(options.token_file, words);
  const MutexLock lock(token_mutex);
  // While the file is being replaced, the last one stays.
  if (read.ok() && check_token(*read).ok()) token = *std::move(read);
  return token;
}

// An idle connection that still works, or a new one.
Result<std::unique_ptr<HttpConnection>> ApiClient::Impl::connection(Server& server,
                                                                    TimePoint deadline) {
  const TimePoint fresh = std::chrono::steady_clock::now() - kIdleFor;
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

Result<std::unique_ptr<HttpConnection>> ApiClient::Impl::connect(Server& server,
                                                                 TimePoint deadline) {
  const Result<std::vector<std::string>> hosts = server.resolver.resolve(deadline);
  if (!hosts.ok()) return hosts.status();
  const HttpConnection::Access access{current_token(), options.ca_file, words};
  Result<std::unique_ptr<HttpConnection>> opened = Status(StatusCode::kUnavailable, "no host");
  for (const std::string& host : *hosts) {
    opened = HttpConnection::open(server.address, host, access, watchdog, deadline);
    if (opened.ok() || std::chrono::steady_clock::now() >= deadline) break;
  }
  return opened;
}

void ApiClient::Impl::keep(Server& server, std::unique_ptr<HttpConnection> connection) {
  if (!connection->usable()) return;
  const MutexLock lock(server.mutex);
  if (server.idle.size() < kIdleMax) server.idle.push_back(std::move(connection));
}

void ApiClient::Impl::note(Server& server, bool failed, const Status& why) {
  {
    const MutexLock lock(server.mutex);
    if (std::exchange(server.failing, failed) == failed) return;
  }
  if (!options.log) return;
  options.log(failed ? LogLevel::kWarn : LogLevel::kInfo,
              failed ? server.address.url +
                           " fails, and others are asked first for a while: " + why.message()
                     : server.address.url + " works again");
}

ApiClient::Impl::Tried ApiClient::Impl::ask(std::size_t number, const Call& call,
                                            const std::string& target, TimePoint deadline) {
  Server& server = servers[number];
  const TimePoint connected_by =
      std::min(deadline, std::chrono::steady_clock::now() + options.connect_timeout);
  Result<std::unique_ptr<HttpConnection>> opened = connection(server, connected_by);
  if (!opened.ok()) return {opened.status()};
  std::unique_ptr<HttpConnection> used = *std::move(opened);
  const Result<HttpAnswer> answer = used->send({call.method, target}, deadline);
  if (!answer.ok()) return {answer.status(), true};
  const bool serves = answer->status < 500;
  Result<Answer> read = read_answer(*answer, server.address.url, words);
  // A connection keeps its token. The next one reads the file again.
  if (answer->status != 401) keep(server, std::move(used));
  if (read.ok()) read->server = number;
  return {std::move(read), true, true, serves};
}

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// A child's copies of the connections are the parent's, and their threads are not in the child.
ApiClient::~ApiClient() {
  if (impl_->fork_guard.forked()) static_cast<void>(impl_.release());
}

Result<std::shared_ptr<ApiClient>> ApiClient::open(const std::vector<std::string>& addresses,
                                                   const HttpStoreOptions& options,
                                                   const Words& words) {
  if (Status bad = check_options(options, words); !bad.ok()) return bad;
  if (addresses.empty() || addresses.size() > kServersMax) {
    return Status(StatusCode::kInvalidArgument,
                  "there must be 1 to " + std::to_string(kServersMax) + " addresses of servers");
  }
  std::vector<HttpAddress> parsed;
  for (const std::string& address : addresses) {
    Result<HttpAddress> one = parse_http_address(address);
    if (!one.ok()) {
      return Status(one.status().code(), words.address + ": " + one.status().message());
    }
    parsed.push_back(*std::move(one));
  }
  return std::shared_ptr<ApiClient>(
      new ApiClient(std::make_unique<Impl>(std::move(parsed), options, words)));
}

Result<ApiClient::Answer> ApiClient::call(const Call& call) {
  if (impl_->fork_guard.forked()) return store_was_forked();
  const std::string target = target_of(call);
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const TimePoint deadline = now() + impl_->options.call_timeout;
  std::vector<std::size_t> order = impl_->choice.order(now());
  if (call.only_server) order = {*call.only_server};
  Status last(StatusCode::kUnavailable, "no server was asked");
  for (std::size_t i = 0; i < order.size(); ++i) {
    // What may be asked again elsewhere leaves time for that.
    const bool leaves_time = call.repeat == Repeat::kAlways && i + 1 < order.size();
    const TimePoint by = leaves_time ? now() + (deadline - now()) / 2 : deadline;
    Impl::Tried tried = impl_->ask(order[i], call, target, by);
    if (tried.serves) {
      impl_->choice.worked(order[i]);
    } else {
      impl_->choice.failed(order[i], now());
    }
    impl_->note(impl_->servers[order[i]], !tried.serves, tried.answer.status());
    if (tried.serves) return std::move(tried.answer);
    last = tried.answer.status();
    const bool next = !tried.sent || call.repeat == Repeat::kAlways ||
                      (tried.answered && call.repeat == Repeat::kIfRefused);
    if (!next || now() >= deadline) break;
  }
  return last;
}

const std::string& ApiClient::url(std::size_t server) const {
  return impl_->servers[server].address.url;
}

}  // namespace featherid
