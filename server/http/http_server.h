// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_HTTP_SERVER_H_
#define FEATHERID_SERVER_HTTP_HTTP_SERVER_H_

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "featherid/status.h"
#include "server/http/connection.h"
#include "server/http/http_options.h"
#include "server/http/router.h"

namespace featherid {

// The counts of a server, at one moment.
struct HttpStats {
  struct Route {
    std::string path;  // empty: requests for no route, and invalid requests
    RouteStats stats;
  };
  std::vector<Route> routes;
  std::uint64_t accepted = 0;  // connections
  int connections = 0;
  int parked = 0;                           // requests
  std::chrono::seconds certificate_end{0};  // see certificate_end()
};

// Listens, and serves connections on a few event loops with one thread each. The router must
// outlive it. Every thread that may call a Resume must end before it is destroyed.
class HttpServer {
 public:
  // A loop gets this many connections before the next loop gets any. If every loop has as many, the
  // one with the fewest gets the next. Few connections on many loops would keep each loop half
  // asleep, and a wake-up costs more than a request.
  static constexpr int kGatherMax = 32;

  HttpServer(const HttpOptions& options, const Router& router);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // kUnavailable: the server cannot listen on the address; the message says why.
  Status listen(const asio::ip::tcp::endpoint& endpoint);
  asio::ip::tcp::endpoint endpoint() const;  // with the chosen port if it was 0

  // The number of connections that leaves enough file descriptors for the store, the logs and the
  // connections that are refused.
  static int connections_within(std::uint64_t descriptors);

  // The loop that run() drives on the calling thread: for signals, and for drain() and stop().
  asio::io_context& main_loop() { return loops_.front()->shared.context; }

  // Serves until drain() has finished or stop() is called.
  void run();

  // Applies new options from each connection's next step on. Existing connections keep TLS or plain
  // HTTP. The number of threads does not change. Call it on the main loop's thread.
  void change_options(const HttpOptions& options);

  // Accepts no new clients, answers the requests that have been sent, closes, and ends run() within
  // drain_timeout.
  void drain();
  bool draining() const { return draining_; }  // from any thread

  // Counts since the start and the current state. Call it from any thread once run() has begun.
  HttpStats stats() const;

  // Ends run() now.
  void stop();

 private:
  struct Loop {
    Loop(const HttpOptions& options, const Router& router, HttpCounts& counts)
        : shared(options, router, counts), ticker(shared.context) {}
    ConnectionLoop shared;
    asio::steady_timer ticker;
    Exchange::Clock::time_point sweep_at;  // when it checks all deadlines again
  };

  // On the main loop's thread.
  const HttpOptions& options() const { return loops_.front()->shared.options; }
  Loop& next_loop();
  int connections() const;
  void accept();
  void accept_or_end();
  void end_accepting();
  void deal(asio::error_code error, asio::ip::tcp::socket socket, Loop& loop);
  void hand_over(asio::ip::tcp::socket socket, Loop& loop);
  void tick(Loop& loop);
  bool end_if_drained(Loop& loop, Exchange::Clock::time_point now);
  void drain(Loop& loop);

  const Router& router_;
  HttpCounts counts_;
  std::vector<std::unique_ptr<Loop>> loops_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  asio::steady_timer drain_grace_;
  bool grace_is_over_ = false;
  bool accept_fails_ = false;  // and has been logged
  std::atomic<bool> draining_{false};
  std::atomic<std::chrono::seconds> certificate_end_;
  std::atomic<int> other_loops_{0};             // running loops besides the main one
  Exchange::Clock::time_point drain_deadline_;  // written before the loops are told
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_HTTP_SERVER_H_
