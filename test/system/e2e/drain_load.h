// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_DRAIN_LOAD_H_
#define FEATHERID_TEST_SYSTEM_E2E_DRAIN_LOAD_H_

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace featherid::test {

// Clients of every kind, with or without TLS, that keep a server busy. Counts how each connection
// ended.
class DrainLoad {
 public:
  struct Account {
    std::int64_t answers = 0;
    std::vector<std::int64_t> ids;
    int clean_closes = 0;     // before any part of an answer
    int unanswered = 0;       // requests that ended in a clean close
    int refused = 0;          // the connection was not made
    int cut = 0;              // an answer was incomplete, or TLS ended without close_notify
    int reset = 0;            // an established connection was reset
    std::string first_fault;  // what a cut or reset connection was doing
  };

  explicit DrainLoad(int port, bool tls = false);
  ~DrainLoad();
  DrainLoad(const DrainLoad&) = delete;
  DrainLoad& operator=(const DrainLoad&) = delete;

  // Runs until `enough` returns true.
  void run_until(const std::function<bool(const Account&)>& enough);
  // Runs until every connection has ended, and connects again as long as the server runs.
  void run_to_end(const std::function<bool()>& server_is_gone);

  const Account& account() const { return account_; }

 private:
  enum class Kind { kKeepAlive, kPipelined, kAnew, kIdle };
  struct Client {
    Kind kind = Kind::kKeepAlive;
    int fd = -1;
    std::shared_ptr<SSL> tls;  // null without TLS
    bool connected = false;
    bool shook_hands = false;  // also true without TLS
    bool closing = false;      // the server has said Connection: close
    int awaited = 0;           // requests without an answer yet
    std::string in;
  };

  void connect(Client& client);
  void shake_hands(Client& client);
  void send(Client& client);
  void step(int timeout_ms);
  void on_event(Client& client, short events);
  void on_input(Client& client);
  bool take_answer(Client& client);
  void end(Client& client, const char* fault);

  const int port_;
  const std::shared_ptr<SSL_CTX> tls_;  // null without TLS
  bool reconnect_ = true;
  std::vector<Client> clients_;
  Account account_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_DRAIN_LOAD_H_
