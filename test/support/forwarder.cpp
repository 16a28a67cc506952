// SPDX-License-Identifier: MIT
#include "test/support/forwarder.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

constexpr int kPollMs = 5;

// False when the connection is over.
bool pass_on(int from, int to) {
  char bytes[16384];
  const ssize_t got = ::recv(from, bytes, sizeof(bytes), 0);
  if (got <= 0) return false;
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t now =
        ::send(to, bytes + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (now <= 0) return false;
    sent += now;
  }
  return true;
}

}  // namespace

Forwarder::Forwarder(int target_port)
    : listener_(listen_on_free_port()), port_(port_of(listener_)), target_port_(target_port) {
  thread_ = std::thread([this] { run(); });
}

Forwarder::~Forwarder() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

void Forwarder::switch_to(int target_port) {
  target_port_ = target_port;
  cutting_ = true;
  if (!wait_until([&] { return !cutting_; })) throw std::runtime_error("the forwarder hangs");
}

void Forwarder::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  ++accepted_;
  const int server = connect_to(target_port_);
  if (server >= 0) {
    pairs_.push_back({client, server});
  } else {
    ::close(client);
  }
}

void Forwarder::run() {
  const auto hang_up = [](const Pair& pair) {
    ::close(pair.client);
    ::close(pair.server);
  };
  while (!stopping_) {
    if (cutting_) {
      for (const Pair& pair : pairs_) hang_up(pair);
      pairs_.clear();
      cutting_ = false;
    }
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      polled.push_back({pair.client, POLLIN, 0});
      polled.push_back({pair.server, POLLIN, 0});
    }
    if (::poll(polled.data(), polled.size(), kPollMs) <= 0) continue;
    std::vector<Pair> kept;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const Pair pair = pairs_[i];
      const bool alive = (polled[1 + 2 * i].revents == 0 || pass_on(pair.client, pair.server)) &&
                         (polled[2 + 2 * i].revents == 0 || pass_on(pair.server, pair.client));
      if (alive) {
        kept.push_back(pair);
      } else {
        hang_up(pair);
      }
    }
    pairs_.swap(kept);
    if (polled[0].revents != 0) accept_one();
  }
  for (const Pair& pair : pairs_) hang_up(pair);
}

}  // namespace featherid::test
