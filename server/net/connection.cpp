// SPDX-License-Identifier: MIT
#include "server/net/connection.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <cstring>
#include <utility>

namespace featherid {

namespace {

constexpr std::size_t kReadBytesMin = 2048;  // most requests fit, and 1000 connections take 2 MB
constexpr std::size_t kGatherBytesMax = 64 * 1024;  // pipelined answers are written in such pieces
constexpr std::size_t kSpareBytesMax = 2 * kGatherBytesMax;
constexpr std::chrono::seconds kLingerTimeout{1};
constexpr int kLingerReads = 16;  // before other connections get their turn

}  // namespace

Connection::Connection(ConnectionLoop& loop, Protocol& protocol, asio::ip::tcp::socket socket,
                       bool refused)
    : loop_(loop),
      protocol_(protocol),
      refused_(refused),
      stream_(std::move(socket), loop.options.tls, loop.sockets, [this] { on_ready(); }),
      conversation_(protocol.open(loop, stream_)),
      may_begin_idle_(protocol.may_begin_idle()) {
  ++protocol_.accepted;
}

Connection::~Connection() {
  --(refused_ ? loop_.counts.refused : loop_.connection_count);
  if (!refused_) --protocol_.connections;
}

void Connection::start() {
  if (refused_) return refuse(Refusal::kTooManyConnections), write();
  deadline_ = NetClock::now() + loop_.options.header_timeout;
  read();
  if (loop_.draining) drain();
}

NetClock::time_point Connection::idle_deadline(NetClock::time_point now) const {
  return now + protocol_.idle_timeout(loop_.options);
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kParked) leave_waits();
  state_ = State::kClosed;
  stream_.close();
  loop_.connections.erase(shared_from_this());
}

void Connection::drain() {
  if (!idle()) return;
  may_begin_idle_ = false;
  deadline_ = std::min(deadline_, NetClock::now() + loop_.options.drain_grace());
}

void Connection::sweep(NetClock::time_point now) {
  if (now < deadline_) return;
  switch (state_) {
    case State::kReading:
      if (idle() && may_begin_idle_ && stream_.established()) {
        may_begin_idle_ = false;
        deadline_ = idle_deadline(now);
        return;
      }
      // Do not close at once, because that would reset a request that is on its way.
      if (idle()) return linger();
      refuse(Refusal::kTooLate);
      return write();
    case State::kParked:
      return end_wait(true, {});
    case State::kWriting:
    case State::kLingering:
      return close();
    case State::kClosed:
      return;
  }
}

// --- in ---

void Connection::make_room() {
  const std::size_t size = in_end_ - in_begin_;
  if (in_begin_ != 0) {
    std::memmove(in_.data(), in_.data() + in_begin_, size);
    in_begin_ = 0;
    in_end_ = size;
  }
  if (size == 0 && in_.size() != kReadBytesMin) {
    in_ = std::vector<char>(kReadBytesMin);
  } else if (in_.size() - size < kReadBytesMin / 2) {
    in_.resize(std::min(2 * in_.size(), protocol_.request_bytes_max() + kReadBytesMin));
  }
}

void Connection::on_ready() {
  const std::shared_ptr<Connection> self = shared_from_this();  // it may close and leave the loop
  switch (state_) {
    case State::kReading:
      return queued_ ? void() : try_read();
    case State::kWriting:
      return write();
    case State::kLingering:
      return linger();
    case State::kParked:
    case State::kClosed:
      return;
  }
}

// Through the queue, so that other connections get their turn, and a long pipeline does not grow
// the stack.
void Connection::queue(void (Connection::*step)()) {
  queued_ = true;
  asio::post(loop_.context, [self = shared_from_this(), step, state = state_] {
    self->queued_ = false;
    if (self->state_ == state) (self.get()->*step)();
  });
}

void Connection::read() {
  state_ = State::kReading;
  if (stream_.may_read()) queue(&Connection::try_read);
}

void Connection::try_read() {
  make_room();
  asio::error_code error;
  const std::size_t bytes =
      stream_.read_some(asio::buffer(in_.data() + in_end_, in_.size() - in_end_), error);
  if (error != asio::error::would_block) on_read(error, bytes);
}

// Waits for the next request.
void Connection::read_next() {
  deadline_ = idle_deadline(NetClock::now());
  read();
  if (loop_.draining) drain();
}

void Connection::on_read(asio::error_code error, std::size_t bytes) {
  if (error == Stream::kPlainHttp) return refuse(Refusal::kPlainHttp), write();
  if (error == Stream::kTlsFailed) return linger();
  if (error) return close();
  may_begin_idle_ = false;
  turn_.now = NetClock::now();
  if (in_begin_ == in_end_) deadline_ = turn_.now + loop_.options.header_timeout;
  in_end_ += bytes;
  serve();
}

// --- requests ---

void Connection::serve() {
  while (!closing_ && out_.size() < kGatherBytesMax) {
    const std::size_t length = conversation_->inspect(input());
    if (length == 0) break;
    if (!answer(length)) return;
    in_begin_ += length;
  }
  conversation_->end_turn(turn_);
  if (!out_.empty() || closing_) return write();
  in_begin_ == in_end_ ? read_next() : read();  // not every request has an answer
}

void Connection::begin_request() {
  turn_.number = ++loop_.request_number;
  turn_.began = turn_.now;
  if (turn_.wait.over || turn_.wait.expired) turn_.wait = {};
  turn_.wait.deadline = turn_.began + loop_.options.request_timeout;
  turn_.close = false;
}

// False if the request is parked.
bool Connection::answer(std::size_t length) {
  if (!waited_) begin_request();
  // Reuses the memory of the loop's last answer, which is still in the cache.
  if (out_.empty()) out_.swap(loop_.spare_out);
  turn_.more_follow = length < input().size();
  if (const StartWait start_wait = conversation_->answer(turn_, &out_)) {
    park(start_wait);
    return false;
  }
  waited_ = false;
  closing_ = turn_.close;
  return true;
}

void Connection::park(const StartWait& start_wait) {
  conversation_->end_turn(turn_);
  state_ = State::kParked;
  waited_ = true;
  deadline_ = turn_.wait.deadline;
  loop_.waits.emplace(deadline_, this);
  ++loop_.counts.parked;
  ++protocol_.parked;
  // Earlier answers need not wait with this one. What the socket does not accept now is written
  // with it.
  if (!write_some()) return;
  // The context outlives its connections, so it is safe to post to it while holding one.
  start_wait([weak = weak_from_this(), number = ++wait_number_](const WaitOutcome& outcome) {
    std::shared_ptr<Connection> self = weak.lock();
    if (!self) return;
    asio::io_context& context = self->loop_.context;
    asio::post(context,
               [self = std::move(self), number, outcome] { self->resume(number, outcome); });
  });
}

void Connection::resume(std::uint64_t wait_number, const WaitOutcome& outcome) {
  if (state_ == State::kParked && wait_number == wait_number_) end_wait(false, outcome);
}

void Connection::leave_waits() {
  loop_.waits.erase({deadline_, this});
  --loop_.counts.parked;
  --protocol_.parked;
}

void Connection::end_wait(bool expired, const WaitOutcome& outcome) {
  leave_waits();
  state_ = State::kReading;
  turn_.wait.expired = expired;
  turn_.wait.outcome = outcome;
  turn_.wait.over = true;
  serve();
}

void Connection::refuse(Refusal why) {
  turn_.now = NetClock::now();
  begin_request();
  conversation_->refuse(why, input(), turn_, &out_);
  closing_ = true;
}

// --- out ---

// Writes what the socket accepts now. False if the connection broke; it is then closed.
bool Connection::write_some() {
  while (out_begin_ < out_.size()) {
    asio::error_code error;
    out_begin_ +=
        stream_.write_some(asio::buffer(out_.data() + out_begin_, out_.size() - out_begin_), error);
    if (error == asio::error::would_block) return true;
    if (error) return close(), false;
  }
  out_begin_ = 0;
  out_.clear();
  if (out_.capacity() <= kSpareBytesMax) out_.swap(loop_.spare_out);
  std::string().swap(out_);
  return true;
}

void Connection::write() {
  if (!write_some()) return;
  // Without TLS's close_notify, a client must treat even a whole answer as truncated.
  if (!out_.empty() || (closing_ && !stream_.shutdown_send())) {
    // One deadline for all of it. If each byte extended the deadline, a slow reader could stay
    // forever.
    if (state_ != State::kWriting) {
      deadline_ = NetClock::now() + loop_.options.write_timeout;
    }
    state_ = State::kWriting;
    return;
  }
  if (closing_) return linger();
  if (in_begin_ != in_end_) {
    turn_.now = NetClock::now();  // the write may have taken long
    deadline_ = turn_.now + loop_.options.header_timeout;
    state_ = State::kReading;
    return queue(&Connection::serve);
  }
  read_next();
}

// Closing at once could reset the connection, and the client would lose the answer. So unread bytes
// are read first, for a limited time.
void Connection::linger() {
  if (state_ != State::kLingering) {
    state_ = State::kLingering;
    deadline_ = NetClock::now() + kLingerTimeout;
    stream_.shutdown_send();
    in_begin_ = in_end_ = 0;
    make_room();
  }
  asio::error_code error;
  for (int i = 0; i < kLingerReads && !error; ++i) stream_.read_some(asio::buffer(in_), error);
  if (!error) return queue(&Connection::linger);
  if (error != asio::error::would_block) close();
}

}  // namespace featherid
