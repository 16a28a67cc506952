// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_LEASE_SERVER_H_
#define FEATHERID_TEST_SUPPORT_LEASE_SERVER_H_

#include <asio/post.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "server/api/lease_routes.h"
#include "server/api/tag_routes.h"
#include "server/http/http_protocol.h"
#include "server/net/net_server.h"

namespace featherid::test {

// What a featherid-server does for processes that lease from it, in this process: it listens on a
// free port of 127.0.0.1, and everyone may do everything.
class LeaseServer {
 public:
  // `options.request_timeout` as given; the rest as the server has it by default.
  explicit LeaseServer(std::shared_ptr<Store> store, NetOptions options = patient())
      : store_(std::move(store)), allocator_(store_), leases_(store_, kLeaseIdsMax) {
    add_tag_routes(router_, store_, allocator_, calls_);
    add_lease_routes(router_, leases_, calls_);
    router_.get("/healthz", Effect::kNone,
                [](Exchange& exchange) { exchange.reply.succeed("\"ok\""); });
    server_ = std::make_unique<NetServer>(options);
    const auto endpoint = server_->listen({asio::ip::address_v4::loopback(), 0}, http_);
    if (!endpoint.ok()) throw std::runtime_error(endpoint.status().to_string());
    port_ = endpoint->port();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~LeaseServer() {
    asio::post(server_->main_loop(), [this] { server_->stop(); });
    thread_.join();
    calls_.stop();
    allocator_.shutdown();
    calls_.join();
  }
  LeaseServer(const LeaseServer&) = delete;
  LeaseServer& operator=(const LeaseServer&) = delete;

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  static NetOptions patient() {
    NetOptions options;
    options.request_timeout = std::chrono::seconds(60);
    return options;
  }

 private:
  const std::shared_ptr<Store> store_;
  SegmentAllocator allocator_;
  StoreCalls calls_;
  Leases leases_;
  Router router_{[](Exchange& exchange, Effect) {
    exchange.who = "loopback";
    return true;
  }};
  HttpProtocol http_{router_};
  std::unique_ptr<NetServer> server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_LEASE_SERVER_H_
