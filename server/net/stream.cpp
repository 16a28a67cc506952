// SPDX-License-Identifier: MIT
#include "server/net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <utility>

namespace featherid {

using asio::ip::tcp;

namespace {

asio::error_code system_error(int number) { return {number, asio::error::get_system_category()}; }

asio::ip::tcp::endpoint peer_of(int socket) {
  tcp::endpoint peer;
  socklen_t size = static_cast<socklen_t>(peer.capacity());
  if (::getpeername(socket, peer.data(), &size) != 0) return {};
  peer.resize(size);
  return peer;
}

}  // namespace

void Stream::FreeTls::operator()(ssl_st* tls) const { SSL_free(tls); }

// OpenSSL works directly on the socket. asio::ssl::stream would put four buffers of 17 KB between
// the two for every connection, idle or not, and it cannot try a write without blocking.
Stream::Stream(tcp::socket socket, const TlsContext& tls, SocketSet& set,
               std::function<void()> on_ready)
    : set_(set), on_ready_(std::move(on_ready)), socket_(-1) {
  asio::error_code error;
  socket.non_blocking(true, error);
  socket.set_option(tcp::no_delay(true), error);
  socket_ = socket.release(error);
  // Without memory for TLS it must not continue in plain.
  if ((tls && !begin_tls(tls)) || !set_.add(socket_, *this)) {
    close();
    ready_ = true;  // the first read fails
  }
}

bool Stream::begin_tls(const TlsContext& tls) {
  tls_.reset(SSL_new(tls.get()));
  if (!tls_ || SSL_set_fd(tls_.get(), socket_) != 1) return false;
  SSL_set_accept_state(tls_.get());
  BIO* const bio = SSL_get_rbio(tls_.get());
  BIO_set_callback_arg(bio, reinterpret_cast<char*>(this));
  BIO_set_callback_ex(
      bio,
      [](BIO* of, int what, const char*, std::size_t size, int, long, int result,
         std::size_t* bytes) -> long {  // NOLINT(readability-non-const-parameter): OpenSSL's type
        if (what == (BIO_CB_READ | BIO_CB_RETURN) && result > 0) {
          reinterpret_cast<Stream*>(BIO_get_callback_arg(of))->note_read(*bytes, size);
        }
        return result;
      });
  return true;
}

// Whatever comes after this read is reported again.
void Stream::note_read(std::size_t bytes, std::size_t size) {
  if (bytes < size && !ended_) ready_ = false;
}

Stream::~Stream() {
  if (socket_ >= 0) ::close(socket_);
}

bool Stream::peer_is_loopback() const { return is_loopback(peer_of(socket_).address()); }

std::string Stream::peer() const {
  std::ostringstream text;
  text << peer_of(socket_);
  return text.str();
}

bool Stream::established() const { return !tls_ || SSL_is_init_finished(tls_.get()) == 1; }

void Stream::on_ready(bool ended) {
  ready_ = true;
  ended_ = ended_ || ended;
  on_ready_();
}

bool Stream::tls_holds_bytes() const { return tls_ && SSL_has_pending(tls_.get()) == 1; }

std::size_t Stream::read_some(asio::mutable_buffer buffer, asio::error_code& error) {
  error = asio::error::would_block;
  if (!may_read()) return 0;
  std::size_t bytes = 0;
  if (tls_) {
    ERR_clear_error();
    error = tls_error(SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &bytes));
    return bytes;
  }
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got < 0) {
    error = system_error(errno);
    if (error == asio::error::would_block) ready_ = false;
    return 0;
  }
  error = got == 0 ? asio::error_code(asio::error::eof) : asio::error_code();
  bytes = static_cast<std::size_t>(got);
  note_read(bytes, buffer.size());
  return bytes;
}

std::size_t Stream::write_some(asio::const_buffer buffer, asio::error_code& error) {
  std::size_t bytes = 0;
  if (tls_) {
    ERR_clear_error();
    error = tls_error(SSL_write_ex(tls_.get(), buffer.data(), buffer.size(), &bytes));
    return bytes;
  }
  const ssize_t sent = ::send(socket_, buffer.data(), buffer.size(), MSG_NOSIGNAL);
  error = sent < 0 ? system_error(errno) : asio::error_code();
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

bool Stream::shutdown_send() {
  if (!say_goodbye()) return false;
  ::shutdown(socket_, SHUT_WR);
  return true;
}

void Stream::close() {
  say_goodbye();  // one try: a peer that reads no more does not miss it
  tls_.reset();
  set_.forget(*this);
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool Stream::say_goodbye() {
  if (!tls_) return true;
  ERR_clear_error();
  const int result = SSL_shutdown(tls_.get());
  if (result < 0 && SSL_get_error(tls_.get(), result) == SSL_ERROR_WANT_WRITE) return false;
  tls_.reset();
  return true;
}

asio::error_code Stream::tls_error(int result) {
  const int error = errno;
  if (result == 1) return {};
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      ready_ = false;
      return asio::error::would_block;
    case SSL_ERROR_WANT_WRITE:
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    default:
      break;
  }
  // After a failure OpenSSL forbids any further call. It has sent its alert.
  const unsigned long reason = ERR_peek_error();
  tls_.reset();
  if (ERR_GET_LIB(reason) == ERR_LIB_SSL && ERR_GET_REASON(reason) == SSL_R_HTTP_REQUEST) {
    return std::make_error_code(kPlainHttp);
  }
  if (reason != 0) return std::make_error_code(kTlsFailed);
  return error != 0 ? system_error(error) : asio::error_code(asio::error::eof);
}

bool is_loopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

}  // namespace featherid
