// SPDX-License-Identifier: MIT
#include "test/bench/channel.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "test/support/ports.h"

namespace featherid::bench {

namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

}  // namespace

void Channel::Free::operator()(ssl_st* tls) const { SSL_free(tls); }
void Channel::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Channel::Channel(int port, const std::string& ca_file)
    : socket_(test::must_connect_to(port)), buffer_(kBufferBytes, '\0') {
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval bound{20, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  if (ca_file.empty()) return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_file(context_.get(), ca_file.c_str()) != 1) {
    throw std::runtime_error("cannot read " + ca_file);
  }
  tls_.reset(SSL_new(context_.get()));
  SSL_set_fd(tls_.get(), socket_);
  if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("no TLS handshake");
}

Channel::~Channel() { ::close(socket_); }

void Channel::send(std::string_view bytes) {
  std::size_t sent = 0;
  if (tls_) {
    if (SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent) != 1) sent = 0;
  } else if (const ssize_t done = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
             done > 0) {
    sent = static_cast<std::size_t>(done);
  }
  if (sent != bytes.size()) throw std::runtime_error("cannot send to the server");
}

std::string_view Channel::receive() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  char* const at = buffer_.data() + end_;
  const std::size_t room = buffer_.size() - end_;
  std::size_t received = 0;
  if (tls_) {
    if (SSL_read_ex(tls_.get(), at, room, &received) != 1) received = 0;
  } else if (const ssize_t done = ::recv(socket_, at, room, 0); done > 0) {
    received = static_cast<std::size_t>(done);
  }
  if (received == 0) throw std::runtime_error("the server has closed a connection");
  end_ += received;
  return {buffer_.data(), end_};
}

}  // namespace featherid::bench
