// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_FORWARDER_H_
#define FEATHERID_TEST_SUPPORT_FORWARDER_H_

#include <atomic>
#include <thread>
#include <vector>

namespace featherid::test {

// An address of 127.0.0.1 behind which servers can be exchanged: passes every connection on to the
// port that is set when it comes in.
class Forwarder {
 public:
  explicit Forwarder(int target_port);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  int port() const { return port_; }
  int accepted() const { return accepted_; }  // connections, ever

  // Connections that there are are cut. A port that nobody listens on: they are refused.
  void switch_to(int target_port);

 private:
  struct Pair {
    int client;
    int server;
  };
  void run();
  void accept_one();

  const int listener_;
  const int port_;
  std::atomic<int> target_port_;
  std::atomic<int> accepted_{0};
  std::atomic<bool> cutting_{false};
  std::atomic<bool> stopping_{false};
  std::vector<Pair> pairs_;  // of the thread
  std::thread thread_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_FORWARDER_H_
