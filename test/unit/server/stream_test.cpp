// SPDX-License-Identifier: MIT
#include "server/net/stream.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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

int waiting_bytes(int fd) {
  int bytes = -1;
  ::ioctl(fd, FIONREAD, &bytes);
  return bytes;
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

// A server's plain stream, and its client.
struct Plain {
  Plain() = default;
  ~Plain() {
    ::close(peer);
    ::close(raw);
  }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;

  // Both return when it has arrived: on a busy machine the kernel delivers later than it returns.
  void send(const std::string& text) const {
    const int before = waiting_bytes(raw);
    const int after = before + static_cast<int>(text.size());
    REQUIRE(::send(peer, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    REQUIRE(test::wait_until([&] { return waiting_bytes(raw) == after; }));
  }
  void end_sending() const {
    ::shutdown(peer, SHUT_WR);
    pollfd ended{raw, POLLRDHUP, 0};
    REQUIRE(::poll(&ended, 1, 20000) == 1);
  }
  // What one read gives; "nothing", or "the end".
  std::string read(std::size_t bytes_max = 64) {
    std::string text(bytes_max, '.');
    asio::error_code error;
    text.resize(stream.read_some(asio::buffer(text), error));
    if (error == asio::error::would_block) return "nothing";
    return error == asio::error::eof ? "the end" : text;
  }
  // Takes in what the system reports.
  void see() {
    const int before = reports;
    for (int i = 0; i < 10 && reports == before; ++i) {
      context.run_one_for(std::chrono::seconds(1));
    }
    REQUIRE(reports > before);
  }

  int reports = 0;
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  const int peer = test::must_connect_to(acceptor.local_endpoint().port());
  asio::ip::tcp::socket socket = acceptor.accept();
  const int raw = ::dup(socket.native_handle());  // the server's end
  SocketSet set{context};
  Stream stream{std::move(socket), nullptr, set, [this] { ++reports; }};
};

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
  REQUIRE(test::wait_until([&] { return waiting_bytes(raw) == 2 * kRecordBytes; }));
  read();
  CHECK(waiting_bytes(raw) == 0);  // not a record's header first, and then the rest
  CHECK(text == "ab");
  read();
  CHECK(text == "abc");
}

TEST_CASE("a read that does not fill its buffer has emptied the socket", "[stream]") {
  Plain plain;
  CHECK(plain.read() == "nothing");
  plain.send("abc");
  CHECK(plain.read() == "nothing");  // the set has not reported it yet
  plain.see();
  CHECK(plain.read(2) == "ab");
  CHECK(plain.stream.may_read());
  CHECK(plain.read(2) == "c");
  CHECK_FALSE(plain.stream.may_read());
  plain.send("d");
  plain.see();
  CHECK(plain.read(1) == "d");
  CHECK(plain.stream.may_read());  // it cannot know
  CHECK(plain.read() == "nothing");
  CHECK_FALSE(plain.stream.may_read());
}

TEST_CASE("bytes that come between a report and the read are read once", "[stream]") {
  Plain plain;
  plain.send("ab");
  plain.see();
  plain.send("c");
  CHECK(plain.read() == "abc");
  plain.see();  // the report of what has been read already
  CHECK(plain.read() == "nothing");
}

TEST_CASE("the end that comes with the last bytes, or after them, is read", "[stream]") {
  const bool together = GENERATE(true, false);
  CAPTURE(together);
  Plain plain;
  plain.see();  // that there is room to write
  plain.send("a");
  if (together) plain.end_sending();
  plain.see();
  CHECK(plain.read() == "a");
  CHECK(plain.stream.may_read() == together);
  if (!together) {
    CHECK(plain.read() == "nothing");
    plain.end_sending();
    plain.see();
  }
  CHECK(plain.read() == "the end");
}

TEST_CASE("when a socket that was full has room, that is reported", "[stream]") {
  Plain plain;
  plain.see();
  const std::string some(1 << 16, '.');
  asio::error_code error;
  std::size_t filled = 0;
  while (!error) filled += plain.stream.write_some(asio::buffer(some), error);
  REQUIRE(error == asio::error::would_block);
  CHECK(receive(plain.peer, filled) == std::string(filled, '.'));
  plain.see();
  CHECK(plain.stream.write_some(asio::buffer(some), error) == some.size());
}

TEST_CASE("a stream that another one closes while both are ready is not called", "[stream]") {
  asio::io_context context;
  asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  SocketSet set{context};
  int calls = 0;
  std::vector<std::unique_ptr<Stream>> streams(2);
  std::vector<int> peers;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    peers.push_back(test::must_connect_to(acceptor.local_endpoint().port()));
    streams[i] = std::make_unique<Stream>(acceptor.accept(), nullptr, set, [&, i] {
      ++calls;
      streams[1 - i]->close();
      streams[1 - i].reset();
    });
  }
  while (calls == 0 && context.run_one_for(std::chrono::seconds(10)) > 0) {
  }
  context.run_for(std::chrono::milliseconds(50));
  CHECK(calls == 1);
  for (const int peer : peers) ::close(peer);
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
