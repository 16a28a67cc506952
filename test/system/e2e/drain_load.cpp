// SPDX-License-Identifier: MIT
#include "test/system/e2e/drain_load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <stdexcept>

#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

constexpr int kPipelineDepth = 16;

const std::string kRequest = "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kLastRequest =
    "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

std::int64_t number_after(const std::string& text, const std::string& label) {
  const std::size_t at = text.find(label);
  if (at == std::string::npos) throw std::runtime_error("no " + label + " in: " + text);
  return std::stoll(text.substr(at + label.size()));
}

bool would_block(SSL* tls, int result) {
  const int error = SSL_get_error(tls, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

// The result of one read. kCut: the peer ended without notice. A reset may look like this, or an
// attacker may cause it.
struct Input {
  enum class Kind { kBytes, kNothing, kEnd, kCut, kReset } kind;
  std::size_t bytes;
};

Input read_input(int fd, SSL* tls, char* chunk, std::size_t size) {
  using Kind = Input::Kind;
  if (tls == nullptr) {
    const ssize_t got = ::recv(fd, chunk, size, 0);
    if (got > 0) return {Kind::kBytes, static_cast<std::size_t>(got)};
    if (got == 0) return {Kind::kEnd, 0};
    return {errno == EAGAIN ? Kind::kNothing : Kind::kReset, 0};
  }
  ERR_clear_error();
  errno = 0;
  std::size_t got = 0;
  const int result = SSL_read_ex(tls, chunk, size, &got);
  if (result == 1) return {Kind::kBytes, got};
  if (would_block(tls, result)) return {Kind::kNothing, 0};
  if (SSL_get_error(tls, result) == SSL_ERROR_ZERO_RETURN) return {Kind::kEnd, 0};
  return {errno == ECONNRESET ? Kind::kReset : Kind::kCut, 0};
}

}  // namespace

DrainLoad::DrainLoad(int port, bool tls)
    : port_(port), tls_(tls ? SSL_CTX_new(TLS_client_method()) : nullptr, SSL_CTX_free) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  const std::pair<Kind, int> numbers[] = {
      {Kind::kKeepAlive, 48}, {Kind::kPipelined, 8}, {Kind::kAnew, 16}, {Kind::kIdle, 8}};
  for (const auto& [kind, number] : numbers) {
    for (int i = 0; i < number; ++i) clients_.emplace_back().kind = kind;
  }
}

DrainLoad::~DrainLoad() {
  for (const Client& client : clients_) {
    if (client.fd >= 0) ::close(client.fd);
  }
}

void DrainLoad::run_until(const std::function<bool(const Account&)>& enough) {
  if (!wait_until([&] { return step(100), enough(account_); })) {
    throw std::runtime_error("the load makes no progress");
  }
}

void DrainLoad::run_to_end(const std::function<bool()>& server_is_gone) {
  const bool ended = wait_until([&] {
    reconnect_ = reconnect_ && !server_is_gone();
    step(20);
    // A client that is still connecting to a closed port has not been accepted.
    const bool busy = std::any_of(clients_.begin(), clients_.end(), [](const Client& client) {
      return client.fd >= 0 && client.connected;
    });
    return !busy && !reconnect_;
  });
  if (!ended) throw std::runtime_error("some connections do not end");
}

void DrainLoad::connect(Client& client) {
  const Kind kind = client.kind;
  client = Client();
  client.kind = kind;
  client.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* const any = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(client.fd, any, sizeof address) != 0 && errno != EINPROGRESS) {
    ++account_.refused;
    end(client, nullptr);
  }
}

void DrainLoad::send(Client& client) {
  client.shook_hands = true;
  std::string bytes = client.kind == Kind::kAnew ? kLastRequest : kRequest;
  client.awaited = client.kind == Kind::kPipelined ? kPipelineDepth : 1;
  for (int i = 1; i < client.awaited; ++i) bytes += kRequest;
  const auto size = static_cast<int>(bytes.size());
  const ssize_t sent = client.tls ? SSL_write(client.tls.get(), bytes.data(), size)
                                  : ::send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0) return end(client, "reset while sending");
  if (static_cast<std::size_t>(sent) != bytes.size()) throw std::runtime_error("a short send");
}

void DrainLoad::step(int timeout_ms) {
  std::vector<pollfd> polled;
  for (Client& client : clients_) {
    // When the server stops, clients with kept connections do not connect again.
    if (client.fd < 0 && reconnect_) connect(client);
    const short wanted = client.connected ? POLLIN : POLLOUT;
    polled.push_back({client.fd, wanted, 0});
  }
  ::poll(polled.data(), polled.size(), timeout_ms);
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (clients_[i].fd >= 0 && polled[i].revents != 0) on_event(clients_[i], polled[i].revents);
  }
}

void DrainLoad::on_event(Client& client, short events) {
  if (client.connected) return on_input(client);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(client.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0 && (events & POLLOUT) != 0) {
    client.connected = true;
    if (!tls_) return send(client);
    client.tls.reset(SSL_new(tls_.get()), SSL_free);
    SSL_set_fd(client.tls.get(), client.fd);
    return shake_hands(client);
  }
  if (error != ECONNREFUSED) return end(client, "reset while connecting");
  ++account_.refused;
  end(client, nullptr);
}

// A connection that ends before the handshake does is a clean close: no request was sent.
void DrainLoad::shake_hands(Client& client) {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_connect(client.tls.get());
  if (result == 1) return send(client);
  if (would_block(client.tls.get(), result)) return;
  if (errno == ECONNRESET) return end(client, "reset in the handshake");
  ++account_.clean_closes;
  end(client, nullptr);
}

void DrainLoad::on_input(Client& client) {
  if (tls_ && !client.shook_hands) return shake_hands(client);
  char chunk[16384];
  for (;;) {
    const Input input = read_input(client.fd, client.tls.get(), chunk, sizeof chunk);
    if (input.kind == Input::Kind::kNothing) break;
    if (input.kind == Input::Kind::kReset) {
      return end(client, client.awaited > 0 ? "reset while waiting" : "reset while idle");
    }
    if (input.kind == Input::Kind::kCut) return end(client, "cut");
    if (input.kind == Input::Kind::kEnd) {
      if (!client.in.empty()) return end(client, "cut");
      account_.unanswered += client.awaited;
      ++account_.clean_closes;
      return end(client, nullptr);
    }
    client.in.append(chunk, input.bytes);
    while (take_answer(client)) {
    }
  }
  if (client.awaited == 0 && !client.closing && client.kind != Kind::kIdle) send(client);
}

bool DrainLoad::take_answer(Client& client) {
  const std::size_t head = client.in.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const auto body_bytes = static_cast<std::size_t>(number_after(client.in, "\r\nContent-Length: "));
  const std::size_t whole = head + 4 + body_bytes;
  if (client.in.size() < whole) return false;
  const std::string answer = client.in.substr(0, whole);
  client.in.erase(0, whole);
  --client.awaited;
  ++account_.answers;
  account_.ids.push_back(number_after(answer, "\"data\":"));
  client.closing = answer.find("\r\nConnection: close\r\n") != std::string::npos;
  return true;
}

void DrainLoad::end(Client& client, const char* fault) {
  if (fault != nullptr) {
    ++(std::string(fault) == "cut" ? account_.cut : account_.reset);
    if (account_.first_fault.empty()) {
      account_.first_fault = std::string(fault) + ", kind " +
                             std::to_string(static_cast<int>(client.kind)) + ", awaited " +
                             std::to_string(client.awaited) + ", in: " + client.in;
    }
  }
  client.tls.reset();
  if (client.fd >= 0) ::close(client.fd);
  client.fd = -1;
  client.connected = false;
}

}  // namespace featherid::test
