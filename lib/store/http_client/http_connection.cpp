// SPDX-License-Identifier: MIT
#include "lib/store/http_client/http_connection.h"

#include <fcntl.h>
#include <httplib.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <optional>
#include <utility>

namespace featherid {

namespace {

// No host has this address, so the client cannot connect.
constexpr const char* kNowhere = "none";

// Why no answer came, and what to do.
std::string cause_of(httplib::Error error, const HttpWords& words) {
  switch (error) {
    case httplib::Error::Connection:
      return "cannot connect; check " + words.address +
             ", and that the server runs and can be reached";
    case httplib::Error::ConnectionTimeout:
      return "no connection in time; check " + words.address +
             ", and anything in between, such as a firewall";
    case httplib::Error::Read:
      return "the connection ended, or the answer did not come in time; see the server's log, and "
             "allow more time if it is slow";
    case httplib::Error::Write:
      return "the connection ended before the request was sent; see the server's log";
    case httplib::Error::SSLConnection:
      return "no TLS connection; " + words.without_tls;
    case httplib::Error::SSLLoadingCerts:
      return "the certificates of " + words.ca_file + " cannot be used; give a file in PEM format";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted; name its authority's certificate with " +
             words.ca_file;
    case httplib::Error::Canceled:
      return "its answer is too large; check " + words.address + ", and any proxy in between";
    default:
      return httplib::to_string(error) + "; check " + words.address + ", and that the server runs";
  }
}

// What a server says, for a message.
std::string one_line(std::string text) {
  constexpr std::size_t kBytesMax = 200;
  text.resize(std::min(text.size(), kBytesMax));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, ' ');
  return text;
}

// The server says 503. Another status is somebody else's.
std::string why_unhealthy(const HttpAnswer& answer, const HttpConnection::Access& access) {
  if (answer.status == 503) {
    return " says that it cannot serve: " + one_line(answer.body) + "; " + access.words.unhealthy;
  }
  return " answers " + access.opening + " with status " + std::to_string(answer.status) +
         "; check the address, and what is in between";
}

}  // namespace

struct HttpConnection::Impl {
  Impl(const HttpAddress& address, const Access& access, Watchdog& dog)
      : url(address.url),
        host(address.host),
        words(access.words),
        watchdog(dog),
        client(address.url, access.cert_file, access.key_file) {}
  ~Impl() {
    client.stop();
    if (socket >= 0) ::close(socket);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Called with each socket that the client is about to connect: one, as no address is left then.
  void keep(int connecting) {
    client.set_hostname_addr_map({{host, kNowhere}});
    if (socket >= 0) return;
    // One of our own, because the client may close its own while the watchdog looks at it.
    socket = ::fcntl(connecting, F_DUPFD_CLOEXEC, 0);
    guard.emplace(watchdog, socket, deadline);
  }

  Result<HttpAnswer> send(const HttpClientRequest& asked);

  const std::string url;
  const std::string host;
  const HttpWords words;
  Watchdog& watchdog;
  httplib::Client client;
  int socket = -1;
  TimePoint deadline;                    // of the call under way
  std::optional<Watchdog::Guard> guard;  // while it is
  TimePoint last_used;
};

Result<HttpAnswer> HttpConnection::Impl::send(const HttpClientRequest& asked) {
  const auto left =
      std::max<std::chrono::microseconds>(std::chrono::duration_cast<std::chrono::microseconds>(
                                              deadline - std::chrono::steady_clock::now()),
                                          std::chrono::milliseconds(1));
  client.set_connection_timeout(left);
  client.set_read_timeout(left);
  client.set_write_timeout(left);
  HttpAnswer answer;
  httplib::Request request;
  request.method = asked.method;
  request.path = asked.target;
  if (!asked.body.empty()) {
    request.body = asked.body;
    request.set_header("Content-Type", "application/json");
  }
  if (!asked.authorization.empty()) request.set_header("Authorization", asked.authorization);
  request.response_handler = [&answer](const httplib::Response& head) {
    answer.status = head.status;
    answer.date = head.get_header_value("Date");
    return true;
  };
  request.content_receiver = [&](const char* bytes, std::size_t count, auto, auto) {
    if (answer.body.size() + count > asked.answer_bytes_max) return false;
    answer.body.append(bytes, count);
    return true;
  };
  const httplib::Result result = client.send(request);
  guard.reset();
  last_used = std::chrono::steady_clock::now();
  // Some versions do not read the trailer fields with which etcd ends its refusals. What has come
  // of a refusal is enough to know that it is one.
  if (!result && answer.status < 400) {
    return Status(StatusCode::kUnavailable,
                  "no answer from " + url + ": " + cause_of(result.error(), words));
  }
  return answer;
}

HttpConnection::HttpConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpConnection::~HttpConnection() = default;

Result<std::unique_ptr<HttpConnection>> HttpConnection::open(const HttpAddress& address,
                                                             const std::string& numeric_host,
                                                             const Access& access,
                                                             Watchdog& watchdog,
                                                             TimePoint deadline) {
  auto impl = std::make_unique<Impl>(address, access, watchdog);
  httplib::Client& client = impl->client;
  if (!client.is_valid()) {
    return Status(StatusCode::kFailedPrecondition, address.url + " cannot be used");
  }
  client.set_keep_alive(true);
  client.set_follow_location(false);  // a token must not follow a redirect to another server
  client.set_tcp_nodelay(true);
  client.set_url_encode(false);
  client.set_decompress(false);  // nobody asks for it, and a small answer could fill the memory
  client.set_hostname_addr_map({{address.host, numeric_host}});
  client.set_socket_options([own = impl.get()](auto socket) { own->keep(socket); });
  if (!access.ca_file.empty()) client.set_ca_cert_path(access.ca_file);
  if (!access.token.empty())
    client.set_default_headers({{"Authorization", "Bearer " + access.token}});
  impl->deadline = deadline;
  const Result<HttpAnswer> answer = impl->send({"GET", access.opening});
  if (!answer.ok()) return answer.status();
  if (access.must_be_healthy && answer->status != 200) {
    return Status(StatusCode::kUnavailable, address.url + why_unhealthy(*answer, access));
  }
  if (client.is_socket_open() == 0) {  // as HTTP/1.0 does
    return Status(StatusCode::kUnavailable,
                  address.url +
                      " ends the connection after one answer; let it, or the proxy in "
                      "between, keep connections open");
  }
  return std::unique_ptr<HttpConnection>(new HttpConnection(std::move(impl)));
}

Result<HttpAnswer> HttpConnection::send(const HttpClientRequest& request, TimePoint deadline) {
  impl_->deadline = deadline;
  impl_->guard.emplace(impl_->watchdog, impl_->socket, deadline);
  return impl_->send(request);
}

bool HttpConnection::usable() const {
  if (impl_->client.is_socket_open() == 0) return false;
  pollfd polled{impl_->socket, POLLIN | POLLRDHUP, 0};
  return ::poll(&polled, 1, 0) == 0;
}

TimePoint HttpConnection::last_used() const { return impl_->last_used; }

}  // namespace featherid
