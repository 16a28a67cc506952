// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_HTTP_CONNECTION_H_
#define FEATHERID_SERVER_HTTP_CONNECTION_H_

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "server/http/exchange.h"
#include "server/http/http_options.h"
#include "server/http/request_stats.h"
#include "server/http/router.h"
#include "server/http/stream.h"

namespace featherid {

class Connection;

// Counts of all event loops together.
struct HttpCounts {
  std::atomic<std::uint64_t> accepted{0};  // connections since the start
  std::atomic<int> refused{0};             // open connections that are told to try again
  std::atomic<int> parked{0};
};

// What the connections of one event loop share. Used by that loop's thread only, but for `counts`,
// `stats` and `connection_count`.
struct ConnectionLoop {
  ConnectionLoop(const HttpOptions& options_in, const Router& router_in, HttpCounts& counts_in)
      : options(options_in), router(router_in), counts(counts_in) {}

  // These two outlive the connections.
  std::atomic<int> connection_count{0};  // open, or on their way to this loop; without refused ones
  asio::io_context context{1};

  HttpOptions options;  // may change between two events
  const Router& router;
  HttpCounts& counts;
  RequestStats stats{0};  // replaced once the router has all its routes
  std::uint64_t request_number = random_request_number();  // of the last request
  std::unordered_set<std::shared_ptr<Connection>> connections;
  // Parked requests, ordered by the end of their waits.
  std::set<std::pair<Exchange::Clock::time_point, Connection*>> waits;
  std::string spare_out;  // memory for the next answer
  std::string date;       // of the answers; the ticker updates it
  bool draining = false;
  bool accepting = true;  // more connections may still come
};

// One client's connection. It reads requests, answers them in order, and parks a request that must
// wait. It stays in its loop's set until it has closed. Used by that loop's thread only.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // It is counted in `count`. The destructor takes it off.
  Connection(ConnectionLoop& loop, asio::ip::tcp::socket socket, std::atomic<int>& count);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  void refuse(std::string_view reason);  // call instead of start(): answers 503 and closes

  // The loop's ticker calls this repeatedly. Ends what has taken too long.
  void sweep(Exchange::Clock::time_point now);

  // The server is stopping. The connection ends after it has answered the requests that have
  // arrived, or that still arrive within drain_grace().
  void drain();

  void close();

 private:
  // One operation at a time is in progress, and deadline_ is its time limit.
  enum class State { kReading, kParked, kWriting, kLingering, kClosed };

  bool idle() const { return state_ == State::kReading && in_begin_ == in_end_; }
  std::string_view input() const { return {in_.data() + in_begin_, in_end_ - in_begin_}; }

  void read();
  void on_read(asio::error_code error, std::size_t bytes);
  void make_room();
  void serve();
  bool answer(const HttpRequest& request, bool more_follow);
  void begin_request();
  void note_answer(std::size_t route, const Exchange& exchange, std::size_t bytes);
  void park(const Exchange& exchange);
  void resume(std::uint64_t wait_number, const Exchange::Outcome& outcome);
  void leave_waits();
  void end_wait(bool expired, const Exchange::Outcome& outcome);
  void reject(int status, std::string_view reason);
  bool write_some();
  void write();
  void linger();

  ConnectionLoop& loop_;
  std::atomic<int>& count_;
  Stream stream_;
  const bool peer_is_loopback_;

  State state_ = State::kReading;
  Exchange::Clock::time_point deadline_;
  bool closing_ = false;  // close after what is in out_ is written

  std::vector<char> in_;  // unread requests: [in_begin_, in_end_)
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string out_;
  std::size_t out_begin_ = 0;

  // The request at the front of in_.
  std::uint64_t request_number_ = 0;
  Exchange::Clock::time_point request_began_;
  // When bytes last arrived or an answer was finished. A request begins then, which saves reading
  // the clock again.
  Exchange::Clock::time_point last_event_;

  // The wait of the request at the front of in_. The number distinguishes a late Resume from the
  // expected one.
  Exchange::Wait wait_;
  bool waited_ = false;
  std::uint64_t wait_number_ = 0;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_HTTP_CONNECTION_H_
