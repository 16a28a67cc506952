// SPDX-License-Identifier: MIT
#include "server/http/http_server.h"

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
    spdlog::warn("cannot hold off new clients ({}): some that connect just now may be reset",
                 std::generic_category().message(errno));
  }
}
// Connections over the limit that are told so at one time; the ones after these are just closed.
int refused_max(int connections_max) { return std::clamp(connections_max / 4, 16, 256); }

}  // namespace

HttpServer::HttpServer(const HttpOptions& options, const Router& router)
    : router_(router),
      loops_([&] {
        std::vector<std::unique_ptr<Loop>> loops;
        for (int i = 0; i < options.io_threads; ++i) {
          loops.push_back(std::make_unique<Loop>(options, router, counts_));
        }
        return loops;
      }()),
      acceptor_(main_loop()),
      accept_pause_(main_loop()),
      drain_grace_(main_loop()),
      certificate_end_(certificate_end(options.tls)) {}

HttpServer::~HttpServer() = default;

Status HttpServer::listen(const tcp::endpoint& endpoint) {
  asio::error_code error;
  const auto failed = [&](const char* what) {
    const char* const advice = error == asio::error::address_in_use
                                   ? "; stop what listens there, or give another port"
                                   : "";
    return Status(StatusCode::kUnavailable,
                  std::string("cannot ") + what + ": " + error.message() + advice);
  };
  acceptor_.open(endpoint.protocol(), error);
  if (error) return failed("open a socket");
  // Not SO_REUSEPORT: two servers must not share a port in silence.
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (error) return failed("set SO_REUSEADDR");
  // For the connections, which inherit them.
  acceptor_.set_option(tcp::acceptor::send_buffer_size(kSocketBytes), error);
  if (!error) acceptor_.set_option(tcp::acceptor::receive_buffer_size(kSocketBytes), error);
  if (error) return failed("set the size of the socket's buffers");
  acceptor_.bind(endpoint, error);
  if (error) return failed("bind");
  acceptor_.listen(kBacklog, error);
  if (error) return failed("listen");
  return {};
}

int HttpServer::connections_within(std::uint64_t descriptors) {
  constexpr std::uint64_t kOthers = 512;  // or half of a small number
  const std::uint64_t count =
      std::max(descriptors / 2, descriptors - std::min(descriptors, kOthers));
  return static_cast<int>(std::clamp<std::uint64_t>(count, 1, std::numeric_limits<int>::max()));
}

tcp::endpoint HttpServer::endpoint() const { return acceptor_.local_endpoint(); }

void HttpServer::run() {
  for (const std::unique_ptr<Loop>& loop : loops_) {
    loop->shared.stats = RequestStats(router_.no_route() + 1);
  }
  accept();
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

HttpStats HttpServer::stats() const {
  HttpStats stats;
  std::vector<RouteStats> sums(router_.no_route() + 1);
  for (const std::unique_ptr<Loop>& loop : loops_) loop->shared.stats.add_to(&sums);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const bool is_route = i != router_.no_route();
    stats.routes.push_back({is_route ? router_.routes()[i].path : "", std::move(sums[i])});
  }
  stats.accepted = counts_.accepted;
  stats.connections = connections();
  stats.parked = counts_.parked;
  stats.certificate_end = certificate_end_;
  return stats;
}

void HttpServer::stop() {
  for (const std::unique_ptr<Loop>& loop : loops_) loop->shared.context.stop();
}

void HttpServer::change_options(const HttpOptions& options) {
  certificate_end_ = certificate_end(options.tls);
  for (const std::unique_ptr<Loop>& loop : loops_) {
    asio::post(loop->shared.context,
               [&shared = loop->shared, options] { shared.options = options; });
  }
}

// --- accepting ---

void HttpServer::accept() {
  Loop& loop = next_loop();
  acceptor_.async_accept(loop.shared.context,
                         [this, &loop](asio::error_code error, tcp::socket socket) {
                           deal(error, std::move(socket), loop);
                         });
}

void HttpServer::deal(asio::error_code error, tcp::socket socket, Loop& loop) {
  if (!error) {
    if (std::exchange(accept_fails_, false)) spdlog::warn("connections are accepted again");
    hand_over(std::move(socket), loop);
    return accept_or_end();
  }
  if (error == asio::error::connection_aborted || grace_is_over_) return accept_or_end();
  // Out of descriptors or memory. The connection stays in the backlog, so trying again at once
  // would spin.
  if (!std::exchange(accept_fails_, true)) {
    spdlog::warn("cannot accept a connection, and tries again: {}", error.message());
  }
  accept_pause_.expires_after(kAcceptPause);
  accept_pause_.async_wait([this](asio::error_code) { accept_or_end(); });
}

void HttpServer::accept_or_end() { grace_is_over_ ? end_accepting() : accept(); }

// Takes the connections that the kernel has already accepted, and closes.
void HttpServer::end_accepting() {
  asio::error_code error;
  acceptor_.non_blocking(true, error);
  while (!error) {
    Loop& loop = next_loop();
    tcp::socket socket = acceptor_.accept(loop.shared.context, error);
    if (error) break;
    hand_over(std::move(socket), loop);
  }
  acceptor_.close(error);
  // Behind the connections in each loop's queue.
  for (const std::unique_ptr<Loop>& loop : loops_) {
    asio::post(loop->shared.context, [&shared = loop->shared] { shared.accepting = false; });
  }
}

HttpServer::Loop& HttpServer::next_loop() {
  Loop* fewest = loops_.front().get();
  for (const std::unique_ptr<Loop>& loop : loops_) {
    if (loop->shared.connection_count < kGatherMax) return *loop;
    if (loop->shared.connection_count < fewest->shared.connection_count) fewest = loop.get();
  }
  return *fewest;
}

int HttpServer::connections() const {
  int sum = 0;
  for (const std::unique_ptr<Loop>& loop : loops_) sum += loop->shared.connection_count;
  return sum;
}

// A loop may be slow to take its connections. They count from here on; otherwise a flood could use
// up all descriptors.
void HttpServer::hand_over(tcp::socket socket, Loop& loop) {
  const int connections_max = options().connections_max;
  const bool refuse = connections() >= connections_max;
  if (refuse && counts_.refused >= refused_max(connections_max)) return;
  std::atomic<int>& count = refuse ? counts_.refused : loop.shared.connection_count;
  ++count;
  asio::post(loop.shared.context,
             [&shared = loop.shared, &count, refuse, socket = std::move(socket)]() mutable {
               auto connection = std::make_shared<Connection>(shared, std::move(socket), count);
               shared.connections.insert(connection);
               if (refuse) return connection->refuse("there are too many connections; try again");
               connection->start();
             });
}

// --- deadlines ---

void HttpServer::tick(Loop& loop) {
  const auto now = Exchange::Clock::now();
  ConnectionLoop& shared = loop.shared;
  while (!shared.waits.empty() && shared.waits.begin()->first <= now) {
    // Held here, because it may close and leave the loop.
    const auto connection = shared.waits.begin()->second->shared_from_this();
    connection->sweep(now);
  }
  if (loop.sweep_at <= now) {
    shared.date = http_date(std::time(nullptr));
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

void HttpServer::drain() {
  if (draining_.exchange(true)) return;
  drain_deadline_ = Exchange::Clock::now() + options().drain_timeout;
  drop_new_clients(acceptor_.native_handle());
  drain_grace_.expires_after(options().drain_grace());
  drain_grace_.async_wait([this](asio::error_code) {
    grace_is_over_ = true;
    asio::error_code ignored;
    acceptor_.cancel(ignored);  // whichever of the two is in progress ends the accepting
    accept_pause_.cancel();
  });
  for (const std::unique_ptr<Loop>& loop : loops_) {
    asio::post(loop->shared.context, [this, &loop = *loop] { drain(loop); });
  }
}

void HttpServer::drain(Loop& loop) {
  loop.shared.draining = true;
  const auto connections = loop.shared.connections;
  for (const std::shared_ptr<Connection>& connection : connections) connection->drain();
  loop.sweep_at = {};
  loop.ticker.cancel();  // so that it sweeps more often from now on
}

bool HttpServer::end_if_drained(Loop& loop, Exchange::Clock::time_point now) {
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
