// SPDX-License-Identifier: MIT
#include "server/net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <sstream>

namespace featherid {

using asio::ip::tcp;

void Stream::FreeTls::operator()(ssl_st* tls) const { SSL_free(tls); }

// OpenSSL works directly on the socket. asio::ssl::stream would put four buffers of 17 KB between
// the two for every connection, idle or not, and it cannot try a write without blocking.
Stream::Stream(tcp::socket socket, const TlsContext& tls) : socket_(std::move(socket)) {
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  if (!tls) return;
  tls_.reset(SSL_new(tls.get()));
  if (!tls_ || SSL_set_fd(tls_.get(), socket_.native_handle()) != 1) {
    socket_.close(ignored);  // out of memory; do not continue without TLS
    return;
  }
  SSL_set_accept_state(tls_.get());
}

bool Stream::peer_is_loopback() const {
  asio::error_code error;
  const tcp::endpoint peer = socket_.remote_endpoint(error);
  return !error && is_loopback(peer.address());
}

std::string Stream::peer() const {
  asio::error_code ignored;
  std::ostringstream text;
  text << socket_.remote_endpoint(ignored);
  return text.str();
}

bool Stream::established() const { return !tls_ || SSL_is_init_finished(tls_.get()) == 1; }

void Stream::cancel() {
  asio::error_code ignored;
  socket_.cancel(ignored);
}

bool Stream::shutdown_send() {
  if (!say_goodbye()) return false;
  asio::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  return true;
}

void Stream::close() {
  say_goodbye();  // one try: a peer that reads no more does not miss it
  tls_.reset();
  asio::error_code ignored;
  socket_.close(ignored);
}

bool Stream::say_goodbye() {
  if (!tls_) return true;
  ERR_clear_error();
  const int result = SSL_shutdown(tls_.get());
  if (result < 0 && SSL_get_error(tls_.get(), result) == SSL_ERROR_WANT_WRITE) {
    wanted_ = tcp::socket::wait_write;
    return false;
  }
  tls_.reset();
  return true;
}

std::size_t Stream::tls_read_held(asio::mutable_buffer buffer, asio::error_code& error) {
  if (SSL_has_pending(tls_.get()) == 1) return tls_read_some(buffer, error);
  wanted_ = tcp::socket::wait_read;
  error = asio::error::would_block;
  return 0;
}

std::size_t Stream::tls_read_some(asio::mutable_buffer buffer, asio::error_code& error) {
  std::size_t bytes = 0;
  ERR_clear_error();
  error = tls_error(SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &bytes));
  return bytes;
}

std::size_t Stream::tls_write_some(asio::const_buffer buffer, asio::error_code& error) {
  std::size_t bytes = 0;
  ERR_clear_error();
  error = tls_error(SSL_write_ex(tls_.get(), buffer.data(), buffer.size(), &bytes));
  return bytes;
}

asio::error_code Stream::tls_error(int result) {
  const int system_error = errno;
  if (result == 1) return {};
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wanted_ = tcp::socket::wait_read;
      return asio::error::would_block;
    case SSL_ERROR_WANT_WRITE:
      wanted_ = tcp::socket::wait_write;
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
  return system_error != 0 ? asio::error_code(system_error, asio::error::get_system_category())
                           : asio::error_code(asio::error::eof);
}

bool is_loopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

}  // namespace featherid
