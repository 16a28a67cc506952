// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_CONNECTION_H_
#define FEATHERID_SERVER_NET_CONNECTION_H_

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "server/net/net_options.h"
#include "server/net/protocol.h"
#include "server/net/request_trace.h"
#include "server/net/socket_set.h"
#include "server/net/stream.h"
#include "server/net/wait.h"

namespace featherid {

class Connection;

// Counts of all event loops and protocols together.
struct NetCounts {
  std::atomic<int> refused{0};  // open connections that are told to try again
  std::atomic<int> parked{0};   // requests
};

// What the connections of one event loop share. Used by that loop's thread only, but for `counts`
// and `connection_count`.
struct ConnectionLoop {
  ConnectionLoop(std::size_t number_in, const NetOptions& options_in, NetCounts& counts_in)
      : number(number_in), options(options_in), counts(counts_in) {}

  bool may_park() const { return counts.parked < options.parked_max; }

  const std::size_t number;  // from 0

  // These two outlive the connections.
  std::atomic<int> connection_count{0};  // open, or on their way to this loop; without refused ones
  asio::io_context context{1};
  SocketSet sockets{context};

  NetOptions options;  // may change between two events
  NetCounts& counts;
  std::uint64_t request_number = random_request_number();  // of the last request
  std::unordered_set<std::shared_ptr<Connection>> connections;
  // Parked requests, ordered by the end of their waits.
  std::set<std::pair<NetClock::time_point, Connection*>> waits;
  std::string spare_out;       // memory for the next answer
  std::time_t wall_clock = 0;  // the ticker updates it
  bool draining = false;
  NetClock::time_point grace_end;  // while draining: what arrives later may be cut off
  bool accepting = true;           // more connections may still come
};

// One client's connection. It reads requests, has its conversation answer them in order, and parks
// a request that must wait. It stays in its loop's set until it has closed. Used by that loop's
// thread only.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // It has been counted: in loop.connection_count and protocol.connections, or in counts.refused if
  // it is to be refused. The destructor takes it off.
  Connection(ConnectionLoop& loop, Protocol& protocol, asio::ip::tcp::socket socket, bool refused);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();  // if it is to be refused, says so and closes

  // The loop's ticker calls this repeatedly. Ends what has taken too long.
  void sweep(NetClock::time_point now);

  // The server is stopping. The connection ends after it has answered the requests that have
  // arrived, or that still arrive within drain_grace().
  void drain();

  void close();

 private:
  // What it waits for. deadline_ is the time limit of that.
  enum class State { kReading, kParked, kWriting, kLingering, kClosed };

  bool idle() const { return state_ == State::kReading && in_begin_ == in_end_; }
  std::string_view input() const { return {in_.data() + in_begin_, in_end_ - in_begin_}; }
  NetClock::time_point idle_deadline(NetClock::time_point now) const;

  void on_ready();
  void queue(void (Connection::*step)());
  void read();
  void try_read();
  void read_next();
  void on_read(asio::error_code error, std::size_t bytes);
  void make_room();
  void serve();
  bool answer(std::size_t length);
  void begin_request();
  void park(const StartWait& start_wait);
  void resume(std::uint64_t wait_number, const WaitOutcome& outcome);
  void leave_waits();
  void end_wait(bool expired, const WaitOutcome& outcome);
  void refuse(Refusal why);
  bool write_some();
  void write();
  void linger();

  ConnectionLoop& loop_;
  Protocol& protocol_;
  const bool refused_;
  Stream stream_;
  const std::unique_ptr<Conversation> conversation_;

  State state_ = State::kReading;
  NetClock::time_point deadline_;
  bool may_begin_idle_;   // nothing has arrived yet, and need not soon
  bool queued_ = false;   // a step is in the loop's queue
  bool closing_ = false;  // close after what is in out_ is written

  std::vector<char> in_;  // unread requests: [in_begin_, in_end_)
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string out_;
  std::size_t out_begin_ = 0;

  // The request at the front of in_. `turn_.now` outlasts it.
  Turn turn_;
  bool waited_ = false;            // it has waited
  std::uint64_t wait_number_ = 0;  // distinguishes a late Resume from the expected one
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_CONNECTION_H_
