// SPDX-License-Identifier: MIT
#include "lib/store/http/api_client.h"

#include <algorithm>
#include <fstream>

#include "lib/base/bounds.h"
#include "lib/base/mutex.h"
#include "lib/base/percent.h"
#include "lib/store/http/api_answer.h"
#include "lib/store/http_client/http_servers.h"

namespace featherid {

namespace {

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
  Impl(std::vector<HttpAddress> addresses, HttpStoreOptions options_in, Words words_in)
      : options(std::move(options_in)),
        words(std::move(words_in)),
        token(options.token),
        servers(std::move(addresses), servers_options()) {}

  HttpServers::Options servers_options();
  std::string current_token() EXCLUDES(token_mutex);

  const HttpStoreOptions options;
  const Words words;
  Mutex token_mutex;
  std::string token GUARDED_BY(token_mutex);  // as it was read last
  HttpServers servers;
};

HttpServers::Options ApiClient::Impl::servers_options() {
  HttpServers::Options made;
  made.call_timeout = options.call_timeout;
  made.connect_timeout = options.connect_timeout;
  made.access.ca_file = options.ca_file;
  made.access.words = words;
  made.token = [this] { return current_token(); };
  made.judge = [this](const HttpAnswer& answer, const std::string& url) {
    return answer.status < 500 ? Status() : read_answer(answer, url, words).status();
  };
  made.log = options.log;
  return made;
}

std::string ApiClient::Impl::current_token() {
  if (options.token_file.empty()) return options.token;
  Result<std::string> read = read_token(options.token_file, words);
  const MutexLock lock(token_mutex);
  // While the file is being replaced, the last one stays.
  if (read.ok() && check_token(*read).ok()) token = *std::move(read);
  return token;
}

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiClient::~ApiClient() = default;

Result<std::shared_ptr<ApiClient>> ApiClient::open(const std::vector<std::string>& addresses,
                                                   const HttpStoreOptions& options,
                                                   const Words& words) {
  if (Status bad = check_options(options, words); !bad.ok()) return bad;
  if (addresses.empty() || addresses.size() > HttpServers::kServersMax) {
    return Status(
        StatusCode::kInvalidArgument,
        "there must be 1 to " + std::to_string(HttpServers::kServersMax) + " addresses of servers");
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
  const HttpClientRequest request = {call.method, target_of(call), {}, {}, call.answer_bytes_max};
  Result<HttpServers::Answer> answered =
      impl_->servers.call({request, call.repeat, call.only_server});
  if (!answered.ok()) return answered.status();
  Result<Answer> read = read_answer(answered->http, url(answered->server), impl_->words);
  if (read.ok()) read->server = answered->server;
  return read;
}

const std::string& ApiClient::url(std::size_t server) const { return impl_->servers.url(server); }

}  // namespace featherid
