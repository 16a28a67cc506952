// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_NET_SERVER_H_
#define FEATHERID_SERVER_NET_NET_SERVER_H_

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "featherid/status.h"
#include "server/net/connection.h"
#include "server/net/net_options.h"
#include "server/net/protocol.h"

namespace featherid {

// Listens, and serves connections on a few event loops with one thread each. The protocols must
// outlive it. Every thread that may call a Resume must end before it is destroyed.
class NetServer {
 public:
  // A loop gets this many connections before the next loop gets any. If every loop has as many, the
  // one with the fewest gets the next. Few connections on many loops would keep each loop half
  // asleep, and a wake-up costs more than a request.
  static constexpr int kGatherMax = 32;

  explicit NetServer(const NetOptions& options);
  ~NetServer();
  NetServer(const NetServer&) = delete;
  NetServer& operator=(const NetServer&) = delete;

  // Speaks `protocol` on this address. Returns the address, with the chosen port if it was 0.
  // kUnavailable: the server cannot listen there; the message says why. Call it before run(), and
  // once for each protocol.
  Result<asio::ip::tcp::endpoint> listen(const asio::ip::tcp::endpoint& endpoint,
                                         Protocol& protocol);

  // The number of connections that leaves enough file descriptors for the store, the logs and the
  // connections that are refused.
  static int connections_within(std::uint64_t descriptors);

  // The loop that run() drives on the calling thread: for signals, and for drain() and stop().
  asio::io_context& main_loop() { return loops_.front()->shared.context; }

  // Serves until drain() has finished or stop() is called.
  void run();

  // Applies new options from each connection's next step on. Existing connections keep TLS, or stay
  // without it. The number of threads does not change. Call it on the main loop's thread.
  void change_options(const NetOptions& options);

  // Accepts no new clients, answers the requests that have been sent, closes, and ends run() within
  // drain_timeout.
  void drain();
  bool draining() const { return draining_; }  // from any thread

  // When clients stop accepting the certificate (certificate_end()). From any thread.
  std::chrono::seconds certificate_end() const { return certificate_end_; }

  // Ends run() now.
  void stop();

 private:
  struct Loop {
    Loop(std::size_t number, const NetOptions& options, NetCounts& counts)
        : shared(number, options, counts), ticker(shared.context) {}
    ConnectionLoop shared;
    asio::steady_timer ticker;
    NetClock::time_point sweep_at;  // when it checks all deadlines again
  };
  // One address that the server listens on.
  struct Listener {
    Listener(asio::io_context& context, Protocol& protocol_in)
        : protocol(protocol_in), acceptor(context), pause(context) {}
    Protocol& protocol;
    asio::ip::tcp::acceptor acceptor;
    asio::steady_timer pause;
    bool fails = false;  // to accept, and that has been logged
  };

  // On the main loop's thread.
  const NetOptions& options() const { return loops_.front()->shared.options; }
  Loop& next_loop();
  int connections() const;
  void accept(Listener& listener);
  void accept_or_end(Listener& listener);
  void end_accepting(Listener& listener);
  void deal(asio::error_code error, asio::ip::tcp::socket socket, Loop& loop, Listener& listener);
  void hand_over(asio::ip::tcp::socket socket, Loop& loop, Protocol& protocol);
  void tick(Loop& loop);
  bool end_if_drained(Loop& loop, NetClock::time_point now);
  void drain(Loop& loop, NetClock::time_point grace_end);

  NetCounts counts_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::size_t listening_ = 0;  // of the listeners, while run() runs
  asio::steady_timer drain_grace_;
  bool grace_is_over_ = false;
  std::atomic<bool> draining_{false};
  std::atomic<std::chrono::seconds> certificate_end_;
  std::atomic<int> other_loops_{0};      // running loops besides the main one
  NetClock::time_point drain_deadline_;  // written before the loops are told
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_NET_SERVER_H_
