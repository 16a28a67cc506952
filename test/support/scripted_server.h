// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_SCRIPTED_SERVER_H_
#define FEATHERID_TEST_SUPPORT_SCRIPTED_SERVER_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace featherid::test {

// An HTTP server on a free port of 127.0.0.1 that does what no good server does. It answers
// /healthz as featherid-server does, and everything else as the test says.
class ScriptedServer {
 public:
  // Returns the bytes to answer the request with its body with. Empty: the connection is closed
  // instead. Called on a thread of each connection.
  using Script = std::function<std::string(const std::string& request)>;

  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int accepted() const { return accepted_; }  // connections, ever
  // The first lines of the requests other than for /healthz.
  std::vector<std::string> requests() const;

  // An answer of the API with a code and `data`, which is JSON.
  static std::string answer(int status, int code, const std::string& data);
  // The value of a parameter of the request's query, as it was sent; empty if there is none.
  static std::string parameter(const std::string& request, const std::string& name);
  // The answer of 200 to a call of /api/v1/lease; `members`: those of its data.
  static std::string answer_lease(const std::string& request, const std::string& members);

 private:
  void accept_all();
  void serve(int socket);

  const Script script_;
  const int listener_;
  const int port_;
  std::atomic<int> accepted_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> sockets_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

// A text that the script and the test share.
class SharedText {
 public:
  void set(std::string text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    text_ = std::move(text);
  }
  std::string get() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_SCRIPTED_SERVER_H_
