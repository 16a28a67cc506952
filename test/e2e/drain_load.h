// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_E2E_DRAIN_LOAD_H_
#define FEATHERID_TEST_E2E_DRAIN_LOAD_H_

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace featherid::test {

// Clients of every kind, in the clear or under TLS, that hold a server busy, and an account of how
// each connection ended.
class DrainLoad {
 public:
  struct Account {
    std::int64_t answers = 0;
    std::vector<std::int64_t> ids;
    int clean_closes = 0;     // without an answer begun
    int unanswered = 0;       // requests that met a clean close
    int refused = 0;          // no connection was made
    int cut = 0;              // an answer was begun and not ended, or TLS ended without its goodbye
    int reset = 0;            // of a connection that had been made
    std::string first_fault;  // what a cut or reset connection was doing
  };

  explicit DrainLoad(int port, bool tls = false);
  ~DrainLoad();
  DrainLoad(const DrainLoad&) = delete;
  DrainLoad& operator=(const DrainLoad&) = delete;

  // Goes on until `enough` says so.
  void run_until(const std::function<bool(const Account&)>& enough);
  // Goes on, connecting anew as long as the server is there, until every connection has ended.
  void run_to_end(const std::function<bool()>& server_is_gone);

  const Account& account() const { return account_; }

 private:
  enum class Kind { kKeepAlive, kPipelined, kAnew, kIdle };
  struct Client {
    Kind kind = Kind::kKeepAlive;
    int fd = -1;
    std::shared_ptr<SSL> tls;  // null in the clear
    bool connected = false;
    bool shook_hands = false;  // or there is nothing to shake
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
  const std::shared_ptr<SSL_CTX> tls_;  // null in the clear
  bool reconnect_ = true;
  std::vector<Client> clients_;
  Account account_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_E2E_DRAIN_LOAD_H_
