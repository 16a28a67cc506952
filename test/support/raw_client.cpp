// SPDX-License-Identifier: MIT
#include "test/support/raw_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/support/ports.h"

namespace featherid::test {

RawClient::RawClient(int port, int receive_bytes) : socket_(must_connect_to(port, receive_bytes)) {}

RawClient::~RawClient() { ::close(socket_); }

void RawClient::send(const std::string& bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;  // the server has closed; its answer can still be read
    sent += static_cast<std::size_t>(n);
  }
}

void RawClient::end_sending() const { ::shutdown(socket_, SHUT_WR); }

std::optional<std::string> RawClient::read_to_end(std::chrono::milliseconds bound) const {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  std::string text;
  char chunk[4096];
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd ready{socket_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
      return std::nullopt;
    }
    const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
    if (n < 0) return std::nullopt;  // reset: the answer may have been lost
    if (n == 0) return text;
    text.append(chunk, static_cast<std::size_t>(n));
  }
}

void RawClient::reset_on_close() const {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::optional<std::string> RawClient::read_some(std::chrono::milliseconds bound) const {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(bound.count())) <= 0) return std::nullopt;
  char chunk[4096];
  const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
  return std::string(chunk, n > 0 ? static_cast<std::size_t>(n) : 0);
}

std::optional<std::string> RawClient::read_until(const std::string& wanted) const {
  std::string text;
  char chunk[4096];
  while (text.find(wanted) == std::string::npos) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 20000) <= 0) return std::nullopt;
    const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
    if (n <= 0) return std::nullopt;
    text.append(chunk, static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace featherid::test
