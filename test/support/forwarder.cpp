// SPDX-License-Identifier: MIT
#include "test/support/forwarder.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

constexpr int kPollMs = 5;
constexpr std::chrono::milliseconds kSlowness{100};

// Otherwise a second small packet waits 40 ms for the first one's acknowledgement.
void send_at_once(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void hang_up(int client, int server) {
  ::close(client);
  if (server >= 0) ::close(server);
}

}  // namespace

Forwarder::Forwarder(int target_port, std::string target_address)
    : listener_(listen_on_free_port()),
      port_(port_of(listener_)),
      target_address_(std::move(target_address)),
      target_port_(target_port) {
  thread_ = std::thread([this] { run(); });
}

Forwarder::~Forwarder() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

void Forwarder::switch_to(int target_port) {
  target_port_ = target_port;
  dropping_ = true;
  if (!wait_until([&] { return !dropping_; })) throw std::runtime_error("the forwarder hangs");
}

void Forwarder::begin_cutting(Direction direction, std::int64_t bytes) {
  cut_direction_ = direction;
  cut_bytes_ = bytes;
  ++cutting_;
}

std::int64_t Forwarder::end_cutting() {
  if (cutting_ % 2 != 0) ++cutting_;
  return cut_bytes_;
}

void Forwarder::drop_all() {
  for (const Pair& pair : pairs_) hang_up(pair.client, pair.server);
  pairs_.clear();
}

void Forwarder::leave_half_open() {
  for (Pair& pair : pairs_) {
    if (pair.server >= 0) ::close(std::exchange(pair.server, -1));
  }
}

void Forwarder::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  ++accepted_;
  const Trouble trouble = trouble_;
  const bool connects = trouble == Trouble::kNone || trouble == Trouble::kSlow;
  const int server = connects ? connect_to(target_port_, 0, target_address_.c_str()) : -1;
  if (server >= 0 || trouble == Trouble::kHalfOpen) {
    for (const int socket : {client, server}) send_at_once(socket);
    pairs_.push_back({client, server});
  } else {
    ::close(client);
  }
}

// False if the connection is over.
bool Forwarder::pass_on(Pair& pair, Direction direction) {
  const bool to_server = direction == Direction::kToServer;
  const int cutting = cutting_;
  const bool counts = cutting % 2 != 0 && direction == cut_direction_;
  if (counts && std::exchange(pair.cutting, cutting) != cutting) pair.passed_bytes = 0;
  char bytes[16384];
  const ssize_t got = ::recv(to_server ? pair.client : pair.server, bytes, sizeof(bytes), 0);
  if (got <= 0) return false;
  if (to_server && recording_) {
    const std::lock_guard<std::mutex> lock(recorded_mutex_);
    recorded_.append(bytes, static_cast<std::size_t>(got));
  }
  const std::int64_t left = counts ? cut_bytes_ - pair.passed_bytes : got;
  const std::int64_t due = std::clamp<std::int64_t>(left, 0, got);
  for (std::int64_t sent = 0; sent < due;) {
    const ssize_t now = ::send(to_server ? pair.server : pair.client, bytes + sent,
                               static_cast<std::size_t>(due - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  if (counts) pair.passed_bytes += due;
  if (due == got) return true;
  ++cut_bytes_;
  ++cuts_;
  return false;
}

bool Forwarder::serve(Pair& pair, short client_events, short server_events) {
  if (pair.server < 0) {  // what the client sends is lost until the trouble is over
    char bytes[16384];
    const bool gone = client_events != 0 && ::recv(pair.client, bytes, sizeof(bytes), 0) <= 0;
    return !gone && trouble_ == Trouble::kHalfOpen;
  }
  return (client_events == 0 || pass_on(pair, Direction::kToServer)) &&
         (server_events == 0 || pass_on(pair, Direction::kToClient));
}

void Forwarder::run() {
  while (!stopping_) {
    const Trouble trouble = trouble_;
    if (dropping_ || trouble == Trouble::kRefuses) drop_all();
    if (pairs_.empty()) dropping_ = false;
    if (trouble == Trouble::kHalfOpen) leave_half_open();
    if (trouble == Trouble::kBlackHole) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
      continue;
    }
    if (trouble == Trouble::kSlow) std::this_thread::sleep_for(kSlowness);
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      polled.push_back({pair.client, POLLIN, 0});
      polled.push_back({pair.server, POLLIN, 0});
    }
    if (::poll(polled.data(), polled.size(), kPollMs) < 0) continue;
    std::vector<Pair> kept;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      Pair pair = pairs_[i];
      if (serve(pair, polled[1 + 2 * i].revents, polled[2 + 2 * i].revents)) {
        kept.push_back(pair);
      } else {
        hang_up(pair.client, pair.server);
      }
    }
    pairs_.swap(kept);
    if (polled[0].revents != 0) accept_one();
  }
  drop_all();
}

}  // namespace featherid::test
