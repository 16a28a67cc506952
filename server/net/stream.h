// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_STREAM_H_
#define FEATHERID_SERVER_NET_STREAM_H_

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "server/net/tls_context.h"

struct ssl_st;  // OpenSSL's SSL

namespace featherid {

// The bytes of one TCP connection, plain or over TLS. The TLS handshake is part of the first reads
// and writes. Nothing blocks. One read or one wait is in progress at a time, and its handler keeps
// the Stream alive. Used by one thread only.
class Stream {
 public:
  // The errors of a read, besides the socket's own, if the peer does not speak TLS correctly. The
  // stream is plain from then on.
  static constexpr std::errc kTlsFailed = std::errc::protocol_error;
  static constexpr std::errc kPlainHttp = std::errc::wrong_protocol_type;

  Stream(asio::ip::tcp::socket socket, const TlsContext& tls);

  bool peer_is_loopback() const;
  std::string peer() const;  // its address and port, for the log
  bool established() const;  // without TLS, or once its handshake has ended

  // As for a socket: handler(error, bytes).
  template <typename Handler>
  void async_read_some(asio::mutable_buffer buffer, Handler handler) {
    if (!tls_) return socket_.async_read_some(buffer, std::move(handler));
    asio::error_code error;
    const std::size_t bytes = tls_read_held(buffer, error);
    if (error == asio::error::would_block) return wait_and_read(buffer, std::move(handler));
    asio::post(socket_.get_executor(),
               [error, bytes, handler = std::move(handler)]() mutable { handler(error, bytes); });
  }

  // Writes what the socket accepts now. would_block: async_wait() reports when to write again, with
  // the same bytes first.
  std::size_t write_some(asio::const_buffer buffer, asio::error_code& error) {
    return tls_ ? tls_write_some(buffer, error) : socket_.write_some(buffer, error);
  }

  // Calls handler(error) when the stream is ready for what returned would_block.
  template <typename Handler>
  void async_wait(Handler handler) {
    socket_.async_wait(wanted_, std::move(handler));
  }

  void cancel();  // the read or wait in progress

  // Tells the peer that no more bytes follow. Bytes that are read afterwards may still be encrypted
  // and must be discarded. False if the socket has no room for TLS's close_notify: async_wait()
  // reports when to try again.
  bool shutdown_send();

  void close();  // tells a TLS peer that the connection ends properly

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const;
  };

  template <typename Handler>
  void wait_and_read(asio::mutable_buffer buffer, Handler handler) {
    async_wait([this, buffer, handler = std::move(handler)](asio::error_code error) mutable {
      // If TLS has ended, this read was cancelled too late to notice, and its buffer is in use for
      // something else.
      if (error || !tls_) return handler(error ? error : asio::error::operation_aborted, 0);
      const std::size_t bytes = tls_read_some(buffer, error);
      if (error == asio::error::would_block) return wait_and_read(buffer, std::move(handler));
      handler(error, bytes);
    });
  }

  // Reads what TLS has already taken from the socket, which a wait does not see. would_block if
  // that is nothing; asking the socket would mostly be a wasted call.
  std::size_t tls_read_held(asio::mutable_buffer buffer, asio::error_code& error);
  std::size_t tls_read_some(asio::mutable_buffer buffer, asio::error_code& error);
  std::size_t tls_write_some(asio::const_buffer buffer, asio::error_code& error);
  asio::error_code tls_error(int result);
  bool say_goodbye();

  asio::ip::tcp::socket socket_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  asio::ip::tcp::socket::wait_type wanted_ = asio::ip::tcp::socket::wait_write;
};

// Also recognizes an IPv4 address in the form of an IPv6 one.
bool is_loopback(const asio::ip::address& address);

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_STREAM_H_
