// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_UNIT_SERVER_SERVED_H_
#define FEATHERID_TEST_UNIT_SERVER_SERVED_H_

#include <asio/post.hpp>
#include <string>
#include <thread>

#include "server/http/http_protocol.h"
#include "server/net/net_server.h"
#include "test/support/catch.h"
#include "test/support/raw_client.h"

namespace featherid::test {

// A server on a free port of 127.0.0.1, whose loops run until the object ends.
class Served {
 public:
  explicit Served(const Router& router, const NetOptions& options = {})
      : http_(router), server_(options) {
    const auto endpoint = server_.listen({asio::ip::make_address("127.0.0.1"), 0}, http_);
    REQUIRE(endpoint.ok());
    port_ = endpoint->port();
    thread_ = std::thread([this] { server_.run(); });
  }
  ~Served() {
    asio::post(server_.main_loop(), [this] { server_.stop(); });
    thread_.join();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  int port() const { return port_; }
  int connections() const { return http_.connections; }

  // All that comes back for these bytes and an end of sending.
  std::string answers(const std::string& bytes) const {
    const RawClient client(port());
    client.send(bytes);
    client.end_sending();
    return client.read_to_end().value_or("no clean end");
  }

 private:
  HttpProtocol http_;
  NetServer server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_UNIT_SERVER_SERVED_H_
