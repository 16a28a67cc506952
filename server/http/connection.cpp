// SPDX-License-Identifier: MIT
#include "server/http/connection.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <cstring>
#include <utility>

#include "server/http/access_log.h"

namespace featherid {

namespace {

constexpr std::size_t kReadBytesMin = 2048;  // most requests fit, and 1000 connections take 2 MB
constexpr std::size_t kGatherBytesMax = 64 * 1024;  // pipelined answers are written in such pieces
constexpr std::size_t kSpareBytesMax = 2 * kGatherBytesMax;
constexpr std::chrono::seconds kLingerTimeout{1};

}  // namespace

Connection::Connection(ConnectionLoop& loop, asio::ip::tcp::socket socket, std::atomic<int>& count)
    : loop_(loop),
      count_(count),
      stream_(std::move(socket), loop.options.tls),
      peer_is_loopback_(stream_.peer_is_loopback()) {
  ++loop_.counts.accepted;
}

Connection::~Connection() { --count_; }

void Connection::start() {
  deadline_ = Exchange::Clock::now() + loop_.options.header_timeout;
  read();
  if (loop_.draining) drain();
}

void Connection::refuse(std::string_view reason) {
  reject(503, reason);
  write();
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
  deadline_ = std::min(deadline_, Exchange::Clock::now() + loop_.options.drain_grace());
}

void Connection::sweep(Exchange::Clock::time_point now) {
  if (now < deadline_) return;
  switch (state_) {
    case State::kReading:
      stream_.cancel();  // the read in progress, because its buffer is about to be reused
      // Do not close at once, because that would reset a request that is on its way.
      if (idle()) return linger();
      reject(408, "the request did not arrive in time");
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
    in_.resize(std::min(2 * in_.size(), kRequestBytesMax + kReadBytesMin));
  }
}

void Connection::read() {
  make_room();
  state_ = State::kReading;
  stream_.async_read_some(asio::buffer(in_.data() + in_end_, in_.size() - in_end_),
                          [self = shared_from_this()](asio::error_code error, std::size_t bytes) {
                            if (self->state_ == State::kReading) self->on_read(error, bytes);
                          });
}

void Connection::on_read(asio::error_code error, std::size_t bytes) {
  if (error == Stream::kPlainHttp) {
    reject(400, "this port speaks TLS: use https://");
    return write();
  }
  if (error == Stream::kTlsFailed) return linger();
  if (error) return close();
  last_event_ = Exchange::Clock::now();
  if (in_begin_ == in_end_) deadline_ = last_event_ + loop_.options.header_timeout;
  in_end_ += bytes;
  serve();
}

// --- requests ---

void Connection::serve() {
  while (!closing_ && out_.size() < kGatherBytesMax) {
    const GateVerdict verdict = inspect_request(input());
    if (verdict.kind == GateVerdict::Kind::kNeedMore) break;
    if (verdict.kind == GateVerdict::Kind::kReject) {
      reject(verdict.status, verdict.reason);
      break;
    }
    if (!answer(verdict.request, verdict.length_bytes < input().size())) return;
    in_begin_ += verdict.length_bytes;
  }
  if (!out_.empty()) return write();
  read();
}

void Connection::begin_request() {
  request_number_ = ++loop_.request_number;
  request_began_ = last_event_;
  wait_ = {request_began_ + loop_.options.request_timeout, false, {}};
}

// False if the request is parked. `more_follow`: the client has sent more bytes after it.
bool Connection::answer(const HttpRequest& request, bool more_follow) {
  if (!waited_) begin_request();
  // Reuses the memory of the loop's last answer, which is still in the cache.
  if (out_.empty()) out_.swap(loop_.spare_out);
  const std::size_t out_before = out_.size();
  Exchange exchange(request, peer_is_loopback_, wait_);
  exchange.reply.request_number = request_number_;
  exchange.reply.date = loop_.date;
  const bool keep = request.keep_alive && (!loop_.draining || more_follow);
  const std::size_t route = loop_.router.serve(exchange);
  if (exchange.parked()) {
    if (!wait_.expired && loop_.counts.parked < loop_.options.parked_max) {
      park(exchange);
      return false;
    }
    exchange.reply.fail_for_now("too many requests are waiting for ids; try again");
  }
  append_response(exchange.reply, request.method == "HEAD", !keep, &out_);
  note_answer(route, exchange, out_.size() - out_before);
  waited_ = false;
  closing_ = !keep;
  return true;
}

void Connection::note_answer(std::size_t route, const Exchange& exchange, std::size_t bytes) {
  const HttpRequest& request = exchange.request;
  last_event_ = Exchange::Clock::now();
  const auto took = last_event_ - request_began_;
  loop_.stats.note(route, exchange.reply.status, took);
  if (!logs_access(exchange.changes)) return;
  log_access({request.method,
              request.path,
              request.query,
              {},
              exchange.changes,
              exchange.reply.status,
              bytes,
              took,
              stream_.peer(),
              request_number_,
              request.traceparent});
}

void Connection::park(const Exchange& exchange) {
  state_ = State::kParked;
  waited_ = true;
  deadline_ = wait_.deadline;
  loop_.waits.emplace(deadline_, this);
  ++loop_.counts.parked;
  // Earlier answers need not wait with this one. What the socket does not accept now is written
  // with it.
  if (!write_some()) return;
  // The context outlives its connections, so it is safe to post to it while holding one.
  exchange.start_wait(
      [weak = weak_from_this(), number = ++wait_number_](const Exchange::Outcome& outcome) {
        std::shared_ptr<Connection> self = weak.lock();
        if (!self) return;
        asio::io_context& context = self->loop_.context;
        asio::post(context,
                   [self = std::move(self), number, outcome] { self->resume(number, outcome); });
      });
}

void Connection::resume(std::uint64_t wait_number, const Exchange::Outcome& outcome) {
  if (state_ == State::kParked && wait_number == wait_number_) end_wait(false, outcome);
}

void Connection::leave_waits() {
  loop_.waits.erase({deadline_, this});
  --loop_.counts.parked;
}

void Connection::end_wait(bool expired, const Exchange::Outcome& outcome) {
  leave_waits();
  state_ = State::kReading;
  wait_.expired = expired;
  wait_.outcome = outcome;
  wait_.over = true;
  serve();
}

void Connection::reject(int status, std::string_view reason) {
  begin_request();
  const std::size_t out_before = out_.size();
  Reply reply;
  reply.request_number = request_number_;
  reply.date = loop_.date;
  if (status == 503) {
    reply.fail_for_now(reason);
  } else {
    reply.fail(status, ApiCode::kBadRequest, reason);
  }
  const bool head = input().substr(0, 5) == "HEAD ";  // the request may be incomplete or malformed
  append_response(reply, head, true, &out_);
  loop_.stats.note(loop_.router.no_route(), status, Exchange::Clock::duration(0));
  if (logs_access(false)) {
    log_access({{},
                {},
                {},
                reason,
                false,
                status,
                out_.size() - out_before,
                {},
                stream_.peer(),
                request_number_,
                {}});
  }
  closing_ = true;
}

// --- out ---

// Writes what the socket accepts now. False if the connection broke; it is then closed.
bool Connection::write_some() {
  while (out_begin_ < out_.size()) {
    asio::error_code error;
    out_begin_ +=
        stream_.write_some(asio::buffer(out_.data() + out_begin_, out_.size() - out_begin_), error);
    if (error == asio::error::would_block || error == asio::error::try_again) return true;
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
      deadline_ = Exchange::Clock::now() + loop_.options.write_timeout;
    }
    state_ = State::kWriting;
    stream_.async_wait([self = shared_from_this()](asio::error_code error) {
      if (self->state_ != State::kWriting) return;
      if (error) return self->close();
      self->write();
    });
    return;
  }
  if (closing_) return linger();
  if (in_begin_ != in_end_) {
    last_event_ = Exchange::Clock::now();  // the write may have taken long
    deadline_ = last_event_ + loop_.options.header_timeout;
    // Through the queue, so that other connections get their turn and a long pipeline does not grow
    // the stack.
    state_ = State::kReading;
    return asio::post(loop_.context, [self = shared_from_this()] {
      if (self->state_ == State::kReading) self->serve();
    });
  }
  deadline_ = Exchange::Clock::now() + loop_.options.idle_timeout;
  read();
  if (loop_.draining) drain();
}

// Closing at once could reset the connection, and the client would lose the answer. So unread bytes
// are read first, for a limited time.
void Connection::linger() {
  if (state_ != State::kLingering) {
    state_ = State::kLingering;
    deadline_ = Exchange::Clock::now() + kLingerTimeout;
    stream_.shutdown_send();
    in_begin_ = in_end_ = 0;
    make_room();
  }
  stream_.async_read_some(asio::buffer(in_),
                          [self = shared_from_this()](asio::error_code error, std::size_t) {
                            if (self->state_ != State::kLingering) return;
                            if (error) return self->close();
                            self->linger();
                          });
}

}  // namespace featherid
