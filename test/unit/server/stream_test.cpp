// SPDX-License-Identifier: MIT
#include "server/net/stream.h"

#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/support/ports.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

TlsContext make_tls(const test::ScratchDir& scratch) {
  const std::string cert = scratch.file("c.crt");
  const std::string key = scratch.file("c.key");
  test::run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=x", "-out", cert, "-keyout", key});
  return *load_tls_context(cert, key);
}

// What comes: so many bytes, or as many as there are before the end.
std::string receive(int fd, std::size_t bytes) {
  std::string text;
  char chunk[4096];
  while (text.size() < bytes) {
    const ssize_t got = ::recv(fd, chunk, std::min(sizeof chunk, bytes - text.size()), 0);
    if (got <= 0) break;
    text.append(chunk, static_cast<std::size_t>(got));
  }
  return text;
}

// Reads once something comes.
std::string read_next(asio::io_context& context, Stream& stream) {
  char bytes[64];
  for (int i = 0; i < 100; ++i) {  // the handshake takes a few
    asio::error_code error;
    const std::size_t count = stream.read_some(asio::buffer(bytes), error);
    if (error != asio::error::would_block) return {bytes, count};
    context.run_one_for(std::chrono::seconds(10));
  }
  return "nothing comes";
}

// A server's stream under TLS, and its client, which has not yet begun the handshake.
struct UnderTls {
  UnderTls() { SSL_set_fd(tls.get(), peer); }
  ~UnderTls() {
    ::close(peer);
    ::close(raw);
  }
  UnderTls(const UnderTls&) = delete;
  UnderTls& operator=(const UnderTls&) = delete;

  const test::ScratchDir scratch;
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  const int peer = test::must_connect_to(acceptor.local_endpoint().port());
  asio::ip::tcp::socket socket = acceptor.accept();
  const int raw = ::dup(socket.native_handle());  // the server's end
  SocketSet set{context};
  Stream stream{std::move(socket), make_tls(scratch), set, [] {}};
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client{SSL_CTX_new(TLS_client_method()),
                                                                 SSL_CTX_free};
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls{SSL_new(client.get()), SSL_free};
};

}  // namespace

TEST_CASE("where the socket has no room for TLS's goodbye, it is said later", "[stream]") {
  UnderTls connection;
  asio::io_context& context = connection.context;
  Stream& stream = connection.stream;
  SSL* const tls = connection.tls.get();
  const int peer = connection.peer;
  const int raw = connection.raw;

  int sent = 0;
  std::thread handshake([&] {
    if (SSL_connect(tls) == 1) sent = SSL_write(tls, "x", 1);
  });
  const std::string first = read_next(context, stream);
  handshake.join();
  REQUIRE(sent == 1);
  REQUIRE(first == "x");
  char byte = 0;
  while (::recv(peer, &byte, 1, MSG_DONTWAIT) == 1) {  // session tickets
  }

  const std::string some(4096, '.');
  std::size_t filled = 0;
  for (std::size_t before = 1; filled != before;) {
    before = filled;
    for (ssize_t n = 0; (n = ::send(raw, some.data(), some.size(), MSG_DONTWAIT)) > 0;) {
      filled += static_cast<std::size_t>(n);
    }
    // Until nothing fits any more: the peer's kernel acknowledges late, and that makes room.
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  CHECK_FALSE(stream.shutdown_send());
  CHECK(receive(peer, filled) == std::string(filled, '.'));
  CHECK(stream.shutdown_send());
  const std::string goodbye = receive(peer, 1000);  // a record of TLS, and the end
  REQUIRE(goodbye.size() > 5);
  CHECK(goodbye.size() == 5U + static_cast<unsigned char>(goodbye[4]));
}

TEST_CASE("TLS takes what has come from the socket, and gives it out by and by", "[stream]") {
  UnderTls connection;
  asio::io_context& context = connection.context;
  Stream& stream = connection.stream;
  SSL* const tls = connection.tls.get();
  const int raw = connection.raw;
  const auto waiting_bytes = [raw] {
    int bytes = -1;
    ::ioctl(raw, FIONREAD, &bytes);
    return bytes;
  };
  std::string text;
  const auto read = [&] { text += read_next(context, stream); };

  std::thread handshake([&] {
    if (SSL_connect(tls) == 1) SSL_write(tls, "a", 1);
  });
  read();
  handshake.join();
  REQUIRE(text == "a");
  SSL_write(tls, "b", 1);  // two records
  SSL_write(tls, "c", 1);
  constexpr int kRecordBytes = 5 + 1 + 1 + 16;  // header, text, its type, authentication
  REQUIRE(test::wait_until([&] { return waiting_bytes() == 2 * kRecordBytes; }));
  read();
  CHECK(waiting_bytes() == 0);  // not a record's header first, and then the rest
  CHECK(text == "ab");
  read();
  CHECK(text == "abc");
}

TEST_CASE("loopback is loopback, as IPv6 too", "[stream]") {
  for (const char* here :
       {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "::ffff:127.8.9.1"}) {
    INFO(here);
    CHECK(is_loopback(asio::ip::make_address(here)));
  }
  for (const char* elsewhere :
       {"10.0.0.1", "128.0.0.1", "0.0.0.0", "::", "::2", "fe80::1", "::127.0.0.1",
        "::ffff:10.0.0.1", "::ffff:128.0.0.1", "64:ff9b::127.0.0.1"}) {
    INFO(elsewhere);
    CHECK(!is_loopback(asio::ip::make_address(elsewhere)));
  }
}

}  // namespace featherid
