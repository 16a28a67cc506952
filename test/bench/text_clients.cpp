// SPDX-License-Identifier: MIT
// Clients that send a fixed text and look for a number in the answer.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "test/bench/remote_clients.h"
#include "test/support/ports.h"

namespace featherid::bench {

namespace {

// What is at the front of the bytes that came.
struct Found {
  std::size_t bytes = 0;  // of the whole answer; 0: more is missing
  std::int64_t id = kRefused;
};

class TextClient : public RemoteClient {
 public:
  TextClient(int socket, std::string request, Found (*find)(std::string_view bytes))
      : socket_(socket), request_(std::move(request)), find_(find) {
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~TextClient() override { ::close(socket_); }

  int socket() const override { return socket_; }

  bool ask() override {
    const ssize_t sent = ::send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request_.size())) throw std::runtime_error("cannot send");
    return false;
  }

  std::optional<std::int64_t> answer() override {
    const ssize_t size = ::recv(socket_, bytes_ + size_, sizeof bytes_ - size_, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (size <= 0) throw std::runtime_error("the server has closed a connection");
    size_ += static_cast<std::size_t>(size);
    const Found found = find_({bytes_, size_});
    if (found.bytes == 0) return std::nullopt;
    size_ -= found.bytes;
    std::memmove(bytes_, bytes_ + found.bytes, size_);
    return found.id;
  }

 private:
  const int socket_;
  const std::string request_;
  Found (*const find_)(std::string_view bytes);
  char bytes_[8 * 1024];
  std::size_t size_ = 0;
};

// kRefused if there is none.
std::int64_t first_number(std::string_view text, int base = 10) {
  const std::size_t at = text.find_first_of(base == 16 ? "0123456789abcdefABCDEF" : "0123456789");
  std::int64_t number = kRefused;
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at, text.data() + text.size(), number, base);
  }
  return number;
}

Found find_in_resp(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n");
  if (end == std::string_view::npos) return {};
  return {end + 2, bytes.front() == ':' ? first_number(bytes.substr(0, end)) : kRefused};
}

// The rest of the line of the header `name`, which is in lower case; empty: there is none.
std::string_view header(std::string_view head, std::string_view name) {
  const auto same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
  };
  const auto at = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
  if (at == head.end()) return {};
  head.remove_prefix(static_cast<std::size_t>(at - head.begin()) + name.size());
  return head.substr(0, head.find("\r\n"));
}

std::int64_t id_in(std::string_view body) {
  constexpr std::string_view kData = "\"data\":";
  const std::size_t data = body.find(kData);
  return first_number(data == std::string_view::npos ? body : body.substr(data + kData.size()));
}

// A body in chunks. An id is short, so all of it is taken from the first one.
Found find_in_chunks(std::string_view bytes, std::size_t body, bool good) {
  constexpr std::string_view kEnd = "0\r\n\r\n";
  const std::size_t end = bytes.find(kEnd, body);
  const std::size_t line = bytes.find("\r\n", body);
  if (end == std::string_view::npos || line == std::string_view::npos) return {};
  const auto size = static_cast<std::size_t>(first_number(bytes.substr(body, line - body), 16));
  return {end + kEnd.size(), good ? id_in(bytes.substr(line + 2, size)) : kRefused};
}

Found find_in_http(std::string_view bytes) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  const std::size_t head_end = bytes.find(kHeadEnd);
  if (head_end == std::string_view::npos) return {};
  const std::size_t body = head_end + kHeadEnd.size();
  const std::string_view head = bytes.substr(0, head_end);
  const bool good = head.substr(std::min<std::size_t>(9, head.size()), 3) == "200";
  if (!header(head, "\r\ntransfer-encoding:").empty()) return find_in_chunks(bytes, body, good);
  const std::string_view length = header(head, "\r\ncontent-length:");
  if (length.empty()) throw std::runtime_error("an answer without its length");
  const std::size_t end = body + static_cast<std::size_t>(first_number(length));
  if (bytes.size() < end) return {};
  return {end, good ? id_in(bytes.substr(body, end - body)) : kRefused};
}

// A connected socket.
int connect_to_host(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    throw std::runtime_error("no address of " + host);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const int fd = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, each->ai_addr, each->ai_addrlen) == 0) return fd;
    ::close(fd);
  }
  throw std::runtime_error("cannot connect to " + host + ":" + port);
}

}  // namespace

std::unique_ptr<RemoteClient> connect_redis(int port, const std::string& key) {
  return std::make_unique<TextClient>(
      test::must_connect_to(port),
      "*2\r\n$4\r\nINCR\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n", find_in_resp);
}

std::unique_ptr<RemoteClient> connect_http(const std::string& url) {
  const std::string scheme = "http://";
  if (url.rfind(scheme, 0) != 0) throw std::runtime_error(url + " is not http://host:port/path");
  const std::size_t path = std::min(url.find('/', scheme.size()), url.size());
  const std::string authority = url.substr(scheme.size(), path - scheme.size());
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos;
  const int socket = connect_to_host(authority.substr(0, colon),
                                     has_port ? authority.substr(colon + 1) : std::string("80"));
  const std::string target = path == url.size() ? "/" : url.substr(path);
  return std::make_unique<TextClient>(
      socket, "GET " + target + " HTTP/1.1\r\nHost: " + authority + "\r\nAccept: */*\r\n\r\n",
      find_in_http);
}

}  // namespace featherid::bench
