// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_STREAM_H_
#define FEATHERID_SERVER_NET_STREAM_H_

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "server/net/socket_set.h"
#include "server/net/tls_context.h"

struct ssl_st;  // OpenSSL's SSL

namespace featherid {

// The bytes of one TCP connection, plain or over TLS. The TLS handshake is part of the first reads
// and writes. Nothing blocks. A read that gets less than it has room for has emptied the socket, so
// the next read asks the system only after the set has reported something new. Used by one thread
// only.
class Stream final : private SocketSet::Member {
 public:
  // The errors of a read, besides the socket's own, if the peer does not speak TLS correctly. The
  // stream is plain from then on.
  static constexpr std::errc kTlsFailed = std::errc::protocol_error;
  static constexpr std::errc kPlainHttp = std::errc::wrong_protocol_type;

  // Calls `on_ready` when a read or a write that returned would_block may be tried again. It may
  // close the stream and destroy it.
  Stream(asio::ip::tcp::socket socket, const TlsContext& tls, SocketSet& set,
         std::function<void()> on_ready);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool peer_is_loopback() const;
  std::string peer() const;  // its address and port, for the log
  bool established() const;  // without TLS, or once its handshake has ended

  // Reads what has come. would_block: nothing yet.
  std::size_t read_some(asio::mutable_buffer buffer, asio::error_code& error);
  // False: read_some() would return would_block.
  bool may_read() const { return ready_ || tls_holds_bytes(); }

  // Writes what the socket accepts now. would_block: write again later, with the same bytes first.
  std::size_t write_some(asio::const_buffer buffer, asio::error_code& error);

  // Tells the peer that no more bytes follow. Bytes that are read afterwards may still be encrypted
  // and must be discarded. False if the socket has no room for TLS's close_notify: try again later.
  bool shutdown_send();

  void close();  // tells a TLS peer that the connection ends properly

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const;
  };

  void on_ready(bool ended) override;
  bool begin_tls(const TlsContext& tls);
  void note_read(std::size_t bytes, std::size_t size);
  bool tls_holds_bytes() const;
  asio::error_code tls_error(int result);
  bool say_goodbye();

  SocketSet& set_;
  const std::function<void()> on_ready_;
  int socket_;  // -1: closed
  std::unique_ptr<ssl_st, FreeTls> tls_;
  bool ready_ = false;  // a read may find bytes
  bool ended_ = false;  // the end follows the bytes that have come
};

// Also recognizes an IPv4 address in the form of an IPv6 one.
bool is_loopback(const asio::ip::address& address);

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_STREAM_H_
