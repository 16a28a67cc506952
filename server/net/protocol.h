// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_PROTOCOL_H_
#define FEATHERID_SERVER_NET_PROTOCOL_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/net/net_options.h"
#include "server/net/wait.h"

namespace featherid {

struct ConnectionLoop;
class Stream;

// Why a connection is refused, other than for what its client has asked.
enum class Refusal {
  kTooManyConnections,
  kTooLate,    // a request has not arrived in time
  kPlainHttp,  // the port speaks TLS, and the client speaks HTTP without it
};

// One request, as its connection sees it.
struct Turn {
  std::uint64_t number = 0;    // of the request
  NetClock::time_point began;  // when its last byte had arrived
  // When bytes last arrived or a request was answered. What answers a request sets it. The next
  // request begins then, which saves reading the clock again.
  NetClock::time_point now;
  Wait wait;
  bool more_follow = false;  // the client has sent more bytes after it
  bool close = false;        // set it to close the connection after the answer
};

// What one connection says: the state of a conversation in some protocol. Used by one thread only.
class Conversation {
 public:
  virtual ~Conversation() = default;

  // The length of the request at the front of `input`, or 0 if more bytes are needed. What cannot
  // be a request has a length too: answer() then refuses it and closes. After as many bytes as
  // Protocol::request_bytes_max() it never returns 0.
  virtual std::size_t inspect(std::string_view input) = 0;

  // Appends the answer of the request that was inspected last to `out`, or parks it: returns how to
  // start the wait, and appends nothing. It then runs again, with the state of the wait.
  virtual StartWait answer(Turn& turn, std::string* out) = 0;

  // Called after the requests that have arrived together, before their answers are written. It may
  // count them here, which takes one look at the clock for all.
  virtual void end_turn(Turn&) {}

  // Appends an answer that says why the connection ends. `input`: what has arrived.
  virtual void refuse(Refusal why, std::string_view input, Turn& turn, std::string* out) = 0;
};

// A protocol that a server speaks on one address, and its counts.
class Protocol {
 public:
  virtual ~Protocol() = default;

  // Called once, before any connection.
  virtual void start(std::size_t loops) = 0;

  // For a new connection. `stream` and `loop` outlive the conversation.
  virtual std::unique_ptr<Conversation> open(ConnectionLoop& loop, const Stream& stream) = 0;

  virtual std::size_t request_bytes_max() const = 0;

  // How long a connection may be idle between two requests.
  virtual std::chrono::milliseconds idle_timeout(const NetOptions& options) const = 0;
  // Whether that also holds before the first request. Otherwise `header_timeout` does.
  virtual bool may_begin_idle() const = 0;

  std::atomic<std::uint64_t> accepted{0};  // connections since the start
  std::atomic<int> connections{0};         // without refused ones
  std::atomic<int> parked{0};
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_PROTOCOL_H_
