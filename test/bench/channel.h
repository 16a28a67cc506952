// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_CHANNEL_H_
#define FEATHERID_TEST_BENCH_CHANNEL_H_

#include <memory>
#include <string>
#include <string_view>

struct ssl_st;      // OpenSSL's SSL
struct ssl_ctx_st;  // and SSL_CTX

namespace featherid::bench {

// A client's connection to 127.0.0.1 that blocks: plain, or TLS with a server of the authority in
// `ca_file`. One system call sends, one receives. Everything throws if the connection breaks.
class Channel {
 public:
  Channel(int port, const std::string& ca_file);  // empty: plain
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void send(std::string_view bytes);
  // Waits for more bytes, and returns all that are unread.
  std::string_view receive();
  void consume(std::size_t bytes) { begin_ += bytes; }  // of the unread ones

 private:
  struct Free {
    void operator()(ssl_st* tls) const;
    void operator()(ssl_ctx_st* context) const;
  };

  int socket_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> tls_;
  std::string buffer_;  // unread: [begin_, end_)
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_CHANNEL_H_
