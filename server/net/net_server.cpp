// SPDX-License-Identifier: MIT
#include "server/net/net_server.h"

#include <linux/filter.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace featherid {

namespace {

using asio::ip::tcp;

constexpr int kBacklog = 4096;  // the kernel cuts it to somaxconn
// Half of what the kernel may buffer per connection and direction (it doubles the number). By
// default the buffers would grow to megabytes for a client that does not read, which is too much
// for ten thousand of them.
constexpr int kSocketBytes = 128 * 1024;
constexpr std::chrono::milliseconds kAcceptPause{100};
// How often a loop checks the deadlines of all its connections. Deadlines of parked requests are
// sorted and are met exactly.
constexpr std::chrono::milliseconds kSweep{250};
constexpr std::chrono::milliseconds kSweepWhileDraining{25};

// From now on the kernel drops the first packet of every new client, which the client sends again
// after a second. Handshakes that have begun still finish. Otherwise connections that the kernel
// accepts between the last accept() and close() would be reset.
void drop_new_clients(int listener) {
  constexpr std::uint32_t kFlagsOffset = 13;
  constexpr std::uint32_t kDropped = 0;
  constexpr std::uint32_t kWhole = UINT32_MAX;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsOffset),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TH_SYN, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kDropped),
      BPF_STMT(BPF_RET | BPF_K, kWhole),
  };
  const sock_fprog filter{std::size(program), program};
  if (::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    spdlog::warn(
        "cannot hold off new clients ({}): a client that connects at this moment may be reset",
        std::generic_category().message(errno));
  }
}

// A connection whose peer has vanished ends within four minutes, even if it may be idle for ever.
// For the connections, which inherit it.
void keep_alive(int listener) {
  const std::pair<int, int> options[] = {
      {TCP_KEEPIDLE, 120}, {TCP_KEEPINTVL, 30}, {TCP_KEEPCNT, 4}};  // seconds, seconds, probes
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  for (const auto& [option, value] : options) {
    ::setsockopt(listener, IPPROTO_TCP, option, &value, sizeof value);
  }
}

// Connections over the limit that are told so at one time; the ones after these are just closed.
int refused_max(int connections_max) { return std::clamp(connections_max / 4, 16, 256); }

}  // namespace

NetServer::NetServer(const NetOptions& options)
    : loops_([&] {
        std::vector<std::unique_ptr<Loop>> loops;
        for (std::size_t i = 0; i < static_cast<std::size_t>(options.io_threads); ++i) {
          loops.push_back(std::make_unique<Loop>(i, options, counts_));
        }
        return loops;
      }()),
      drain_grace_(main_loop()),
      certificate_end_(featherid::certificate_end(options.tls)) {}

NetServer::~NetServer() = default;

Result<tcp::endpoint> NetServer::listen(const tcp::endpoint& endpoint, Protocol& protocol) {
  auto listener = std::make_unique<Listener>(main_loop(), protocol);
  tcp::acceptor& acceptor = listener->acceptor;
  asio::error_code error;
  const auto failed = [&](const char* what) {
    const char* const advice = error == asio::error::address_in_use
                                   ? "; stop what listens there, or give another port"
                                   : "";
    return Status(StatusCode::kUnavailable,
                  std::string("cannot ") + what + ": " + error.message() + advice);
  };
  acceptor.open(endpoint.protocol(), error);
  if (error) return failed("open a socket");
  // Not SO_REUSEPORT: two servers must not share a port in silence.
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (error) return failed("set SO_REUSEADDR");
  // For the connections, which inherit them.
  acceptor.set_option(tcp::acceptor::send_buffer_size(kSocketBytes), error);
  if (!error) acceptor.set_option(tcp::acceptor::receive_buffer_size(kSocketBytes), error);
  if (error) return failed("set the size of the socket's buffers");
  keep_alive(acceptor.native_handle());
  acceptor.bind(endpoint, error);
  if (error) return failed("bind");
  acceptor.listen(kBacklog, error);
  if (error) return failed("listen");
  listeners_.push_back(std::move(listener));
  return acceptor.local_endpoint();
}

int NetServer::connections_within(std::uint64_t descriptors) {
  constexpr std::uint64_t kOthers = 512;  // or half of a small number
  const std::uint64_t count =
      std::max(descriptors / 2, descriptors - std::min(descriptors, kOthers));
  return static_cast<int>(std::clamp<std::uint64_t>(count, 1, std::numeric_limits<int>::max()));
}

void NetServer::run() {
  listening_ = listeners_.size();
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    listener->protocol.start(loops_.size());
    accept(*listener);
  }
  for (const std::unique_ptr<Loop>& loop : loops_) tick(*loop);
  std::vector<std::thread> threads;
  other_loops_ = static_cast<int>(loops_.size()) - 1;
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads.emplace_back([this, &loop = *loops_[i]] {
      loop.shared.context.run();
      --other_loops_;
    });
  }
  main_loop().run();
  for (std::thread& thread : threads) thread.join();
}

void NetServer::stop() {
  for (const std::unique_ptr<Loop>& loop : loops_) loop->shared.context.stop();
}

void NetServer::change_options(const NetOptions& options) {
  certificate_end_ = featherid::certificate_end(options.tls);
  for (const std::unique_ptr<Loop>& loop : loops_) {
    asio::post(loop->shared.context,
               [&shared = loop->shared, options] { shared.options = options; });
  }
}

// --- accepting ---

void NetServer::accept(Listener& listener) {
  Loop& loop = next_loop();
  listener.acceptor.async_accept(
      loop.shared.context, [this, &loop, &listener](asio::error_code error, tcp::socket socket) {
        deal(error, std::move(socket), loop, listener);
      });
}

void NetServer::deal(asio::error_code error, tcp::socket socket, Loop& loop, Listener& listener) {
  if (!error) {
    if (std::exchange(listener.fails, false)) spdlog::warn("connections are accepted again");
    hand_over(std::move(socket), loop, listener.protocol);
    return accept_or_end(listener);
  }
  if (error == asio::error::connection_aborted || grace_is_over_) return accept_or_end(listener);
  // Out of descriptors or memory. The connection stays in the backlog, so trying again at once
  // would spin.
  if (!std::exchange(listener.fails, true)) {
    spdlog::warn("cannot accept a connection; trying again: {}", error.message());
  }
  listener.pause.expires_after(kAcceptPause);
  listener.pause.async_wait([this, &listener](asio::error_code) { accept_or_end(listener); });
}

void NetServer::accept_or_end(Listener& listener) {
  grace_is_over_ ? end_accepting(listener) : accept(listener);
}

// Takes the connections that the kernel has already accepted, and closes.
void NetServer::end_accepting(Listener& listener) {
  asio::error_code error;
  listener.acceptor.non_blocking(true, error);
  while (!error) {
    Loop& loop = next_loop();
    tcp::socket socket = listener.acceptor.accept(loop.shared.context, error);
    if (error) break;
    hand_over(std::move(socket), loop, listener.protocol);
  }
  listener.acceptor.close(error);
  if (--listening_ > 0) return;
  // Behind the connections in each loop's queue.
  for (const std::unique_ptr<Loop>& loop : loops_) {
    asio::post(loop->shared.context, [&shared = loop->shared] { shared.accepting = false; });
  }
}

NetServer::Loop& NetServer::next_loop() {
  Loop* fewest = loops_.front().get();
  for (const std::unique_ptr<Loop>& loop : loops_) {
    if (loop->shared.connection_count < kGatherMax) return *loop;
    if (loop->shared.connection_count < fewest->shared.connection_count) fewest = loop.get();
  }
  return *fewest;
}

int NetServer::connections() const {
  int sum = 0;
  for (const std::unique_ptr<Loop>& loop : loops_) sum += loop->shared.connection_count;
  return sum;
}

// A loop may be slow to take its connections. They count from here on; otherwise a flood could use
// up all descriptors.
void NetServer::hand_over(tcp::socket socket, Loop& loop, Protocol& protocol) {
  const int connections_max = options().connections_max;
  const bool refuse = connections() >= connections_max;
  if (refuse && counts_.refused >= refused_max(connections_max)) return;
  ++(refuse ? counts_.refused : loop.shared.connection_count);
  if (!refuse) ++protocol.connections;
  asio::post(loop.shared.context, [&shared = loop.shared, &protocol, refuse,
                                   socket = std::move(socket)]() mutable {
    auto connection = std::make_shared<Connection>(shared, protocol, std::move(socket), refuse);
    shared.connections.insert(connection);
    connection->start();
  });
}

// --- deadlines ---

void NetServer::tick(Loop& loop) {
  const auto now = NetClock::now();
  ConnectionLoop& shared = loop.shared;
  while (!shared.waits.empty() && shared.waits.begin()->first <= now) {
    // Held here, because it may close and leave the loop.
    const auto connection = shared.waits.begin()->second->shared_from_this();
    connection->sweep(now);
  }
  if (loop.sweep_at <= now) {
    shared.wall_clock = std::time(nullptr);
    shared.sockets.look();  // a loop that runs late takes what came in time
    // A copy, because a connection that closes leaves the set.
    const std::vector<std::shared_ptr<Connection>> connections(shared.connections.begin(),
                                                               shared.connections.end());
    for (const std::shared_ptr<Connection>& connection : connections) connection->sweep(now);
    loop.sweep_at = now + (shared.draining ? kSweepWhileDraining : kSweep);
  }
  if (shared.draining && end_if_drained(loop, now)) return;
  // A request that is parked after this has a deadline after the second of these.
  auto next = std::min(loop.sweep_at, now + shared.options.request_timeout);
  if (!shared.waits.empty()) next = std::min(next, shared.waits.begin()->first);
  loop.ticker.expires_at(next);
  loop.ticker.async_wait([this, &loop](asio::error_code) { tick(loop); });
}

// --- stopping ---

void NetServer::drain() {
  if (draining_.exchange(true)) return;
  const NetClock::time_point now = NetClock::now();
  drain_deadline_ = now + options().drain_timeout;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    drop_new_clients(listener->acceptor.native_handle());
  }
  drain_grace_.expires_after(options().drain_grace());
  drain_grace_.async_wait([this](asio::error_code) {
    grace_is_over_ = true;
    asio::error_code ignored;
    for (const std::unique_ptr<Listener>& listener : listeners_) {
      listener->acceptor.cancel(ignored);  // whichever of the two is in progress ends the accepting
      listener->pause.cancel();
    }
  });
  for (const std::unique_ptr<Loop>& loop : loops_) {
    asio::post(loop->shared.context,
               [this, &loop = *loop, end = now + options().drain_grace()] { drain(loop, end); });
  }
}

void NetServer::drain(Loop& loop, NetClock::time_point grace_end) {
  loop.shared.draining = true;
  loop.shared.grace_end = grace_end;
  const auto connections = loop.shared.connections;
  for (const std::shared_ptr<Connection>& connection : connections) connection->drain();
  loop.sweep_at = {};
  loop.ticker.cancel();  // so that it sweeps more often from now on
}

bool NetServer::end_if_drained(Loop& loop, NetClock::time_point now) {
  ConnectionLoop& shared = loop.shared;
  if (now < drain_deadline_) {
    if (shared.accepting || !shared.connections.empty()) return false;
    // The main loop ends last, because it receives the second signal.
    if (&loop == loops_.front().get() && other_loops_ > 0) return false;
  } else if (!shared.connections.empty()) {
    spdlog::warn("{} connections were cut off: --drain-timeout is over", shared.connections.size());
  }
  shared.context.stop();
  return true;
}

}  // namespace featherid
