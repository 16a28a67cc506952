// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_FORWARDER_H_
#define FEATHERID_TEST_SUPPORT_FORWARDER_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace featherid::test {

// An address of 127.0.0.1 behind which servers can be exchanged. Each new connection goes to the
// port that is set at that time. The network between can be made to fail.
class Forwarder {
 public:
  enum class Trouble {
    kNone,
    kRefuses,    // connections are cut, new ones at once
    kBlackHole,  // nothing gets through; what was sent meanwhile arrives afterwards
    kHalfOpen,   // servers see their connections closed; clients get nothing, new ones too
    kSlow,       // bytes and connections wait for up to a tenth of a second
  };
  enum class Direction { kToServer, kToClient };

  explicit Forwarder(int target_port, std::string target_address = "127.0.0.1");
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  int port() const { return port_; }
  int accepted() const { return accepted_; }  // connections, ever

  // Cuts all connections. If nobody listens on the port, new ones are refused.
  void switch_to(int target_port);

  // Lasts until the next call.
  void set_trouble(Trouble trouble) { trouble_ = trouble; }

  // Cuts a connection after `bytes` more in `direction`, the next one a byte later, and so on,
  // until end_cutting(). In time this cuts at every boundary.
  void begin_cutting(Direction direction, std::int64_t bytes);
  // The number of bytes after which the next connection would have been cut.
  std::int64_t end_cutting();
  int cuts() const { return cuts_; }  // of begin_cutting(), ever

  // All that clients have sent, in order, if it is kept.
  void begin_recording() { recording_ = true; }
  std::string recorded() const {
    const std::lock_guard<std::mutex> lock(recorded_mutex_);
    return recorded_;
  }

 private:
  struct Pair {
    int client;
    int server;  // -1: half-open
    int cutting = 0;
    std::int64_t passed_bytes = 0;  // in the direction of the cut, since cutting began
  };
  void run();
  void accept_one();
  bool serve(Pair& pair, short client_events, short server_events);
  bool pass_on(Pair& pair, Direction direction);
  void drop_all();
  void leave_half_open();

  const int listener_;
  const int port_;
  const std::string target_address_;
  std::atomic<int> target_port_;
  std::atomic<int> accepted_{0};
  std::atomic<Trouble> trouble_{Trouble::kNone};
  std::atomic<int> cutting_{0};  // even: no; it counts begin_cutting() and end_cutting()
  std::atomic<Direction> cut_direction_{Direction::kToServer};
  std::atomic<std::int64_t> cut_bytes_{0};
  std::atomic<int> cuts_{0};
  std::atomic<bool> recording_{false};
  mutable std::mutex recorded_mutex_;
  std::string recorded_;
  std::atomic<bool> dropping_{false};
  std::atomic<bool> stopping_{false};
  std::vector<Pair> pairs_;  // of the thread
  std::thread thread_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_FORWARDER_H_
