// SPDX-License-Identifier: MIT
#include "server/http/http_server.h"

#include <spdlog/spdlog.h>

#include <asio/post.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace featherid {

namespace {

using asio::ip::tcp;

constexpr int kBacklog = 4096;    // the kernel cuts it to somaxconn
constexpr int kRefusedMax = 256;  // connections over the limit that are told so at one time
constexpr std::chrono::milliseconds kAcceptPause{100};
// A loop looks at its deadlines this often, and closer while requests with short ones are parked.
constexpr std::chrono::milliseconds kTick{250};
constexpr std::chrono::milliseconds kTickWhileParked{25};

}  // namespace

HttpServer::HttpServer(const HttpOptions& options, const Router& router)
    : options_(options),
      router_(router),
      loops_([&] {
        std::vector<std::unique_ptr<Loop>> loops;
        for (int i = 0; i < options.io_threads; ++i) {
          loops.push_back(std::make_unique<Loop>(options_, router, counts_));
        }
        return loops;
      }()),
      acceptor_(main_loop()),
      accept_pause_(main_loop()) {}

HttpServer::~HttpServer() = default;

Status HttpServer::listen(const tcp::endpoint& endpoint) {
  asio::error_code error;
  const auto failed = [&](const char* what) {
    return Status(StatusCode::kUnavailable, std::string("cannot ") + what + ": " + error.message());
  };
  acceptor_.open(endpoint.protocol(), error);
  if (error) return failed("open a socket");
  // Not SO_REUSEPORT: two servers must not share a port in silence.
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (error) return failed("set SO_REUSEADDR");
  acceptor_.bind(endpoint, error);
  if (error) return failed("bind");
  acceptor_.listen(kBacklog, error);
  if (error) return failed("listen");
  return {};
}

tcp::endpoint HttpServer::endpoint() const { return acceptor_.local_endpoint(); }

void HttpServer::run() {
  for (const std::unique_ptr<Loop>& loop : loops_) {
    loop->shared.stats = RequestStats(router_.paths().size() + 1);
  }
  accept();
  for (const std::unique_ptr<Loop>& loop : loops_) tick(*loop);
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads.emplace_back([&loop = *loops_[i]] { loop.shared.context.run(); });
  }
  main_loop().run();
  for (std::thread& thread : threads) thread.join();
}

HttpStats HttpServer::stats() const {
  HttpStats stats;
  std::vector<std::string> paths = router_.paths();
  paths.emplace_back();
  std::vector<RouteStats> sums(paths.size());
  for (const std::unique_ptr<Loop>& loop : loops_) loop->shared.stats.add_to(&sums);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    stats.routes.push_back({std::move(paths[i]), std::move(sums[i])});
  }
  stats.accepted = counts_.accepted;
  stats.connections = counts_.connections;
  stats.parked = counts_.parked;
  return stats;
}

void HttpServer::stop() {
  for (const std::unique_ptr<Loop>& loop : loops_) loop->shared.context.stop();
}

// --- accepting ---

void HttpServer::accept() {
  Loop& loop = *loops_[next_loop_++ % loops_.size()];
  acceptor_.async_accept(loop.shared.context,
                         [this, &loop](asio::error_code error, tcp::socket socket) {
                           deal(error, std::move(socket), loop);
                         });
}

void HttpServer::deal(asio::error_code error, tcp::socket socket, Loop& loop) {
  if (draining_) return;
  if (!error) {
    asio::post(loop.shared.context, [this, &loop, socket = std::move(socket)]() mutable {
      take(std::move(socket), loop);
    });
    return accept();
  }
  if (error == asio::error::connection_aborted) return accept();
  // Out of descriptors or memory: the connection stays in the backlog, so trying at once would
  // spin.
  spdlog::warn("cannot accept a connection: {}", error.message());
  accept_pause_.expires_after(kAcceptPause);
  accept_pause_.async_wait([this](asio::error_code cancelled) {
    if (!cancelled && !draining_) accept();
  });
}

void HttpServer::take(tcp::socket socket, Loop& loop) {
  if (loop.shared.draining) return;
  const int others = counts_.connections;
  if (others >= options_.connections_max + kRefusedMax) return;
  auto connection = std::make_shared<Connection>(loop.shared, std::move(socket));
  loop.shared.connections.insert(connection);
  if (others < options_.connections_max) {
    connection->start();
  } else {
    connection->refuse("there are too many connections; try again");
  }
}

// --- deadlines ---

void HttpServer::tick(Loop& loop) {
  const auto now = Exchange::Clock::now();
  ConnectionLoop& shared = loop.shared;
  // By a copy: a connection that closes leaves the set.
  const std::vector<std::shared_ptr<Connection>> connections(shared.connections.begin(),
                                                             shared.connections.end());
  for (const std::shared_ptr<Connection>& connection : connections) connection->sweep(now);
  if (shared.draining && (shared.connections.empty() || now >= drain_deadline_)) {
    if (!shared.connections.empty()) {
      spdlog::warn("{} connections were cut off: --drain-timeout is over",
                   shared.connections.size());
    }
    return shared.context.stop();
  }
  const bool closely = shared.parked > 0 || shared.draining || options_.request_timeout < 2 * kTick;
  loop.ticker.expires_after(closely ? kTickWhileParked : kTick);
  loop.ticker.async_wait([this, &loop](asio::error_code) { tick(loop); });
}

void HttpServer::drain() {
  if (draining_.exchange(true)) return;
  drain_deadline_ = Exchange::Clock::now() + options_.drain_timeout;
  asio::error_code ignored;
  acceptor_.close(ignored);
  for (const std::unique_ptr<Loop>& loop : loops_) {
    asio::post(loop->shared.context, [this, &loop = *loop] { drain(loop); });
  }
}

void HttpServer::drain(Loop& loop) {
  loop.shared.draining = true;
  const auto connections = loop.shared.connections;
  for (const std::shared_ptr<Connection>& connection : connections) connection->drain();
  loop.ticker.cancel();  // and so ticks closely from now on
}

}  // namespace featherid
