// SPDX-License-Identifier: MIT
#include "server/http/httplib_bridge.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace featherid {

namespace {

// A request to be read and an answer to be written, both in memory. The functions are named as in
// every version of cpp-httplib; `override` would tie them to one.
class MemoryStream final : public httplib::Stream {
 public:
  MemoryStream(std::string_view input, std::string* output) : input_(input), output_(output) {}

  virtual bool is_readable() const { return !input_.empty(); }
  virtual bool is_writable() const { return true; }
  virtual bool wait_readable() const { return !input_.empty(); }
  virtual bool wait_writable() const { return true; }

  virtual ssize_t read(char* to, size_t size) {
    const size_t length = std::min(size, input_.size());
    std::memcpy(to, input_.data(), length);
    input_.remove_prefix(length);
    return static_cast<ssize_t>(length);
  }
  virtual ssize_t write(const char* from, size_t size) {
    output_->append(from, size);
    return static_cast<ssize_t>(size);
  }

  virtual void get_remote_ip_and_port(std::string&, int&) const {}
  virtual void get_local_ip_and_port(std::string&, int&) const {}
  // Some versions refuse a descriptor above FD_SETSIZE; there is none here.
  virtual socket_t socket() const { return 0; }
  virtual time_t duration() const { return 0; }

 private:
  std::string_view input_;
  std::string* const output_;
};

}  // namespace

class HttplibBridge::Server final : public httplib::Server {
 public:
  Server() {
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
      route_->serve(*exchange_);
      Reply& reply = exchange_->reply;
      response.status = reply.status;
      response.body = std::move(reply.body);
      response.set_header("Cache-Control", "no-store");
      response.set_header("Content-Type", reply.content_type);
      response.set_header("Date", std::string(reply.date));
      if (reply.header.first != nullptr) {
        response.set_header(reply.header.first, reply.header.second);
      }
      if (const std::string id = request_id_of(reply); !id.empty()) {
        response.set_header("X-Request-Id", id);
      }
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) {
      if (!close_) response.headers.erase("Connection");
      // What cpp-httplib says of its own files is not true of these.
      response.headers.erase("Accept-Ranges");
    });
  }

  void run(const Route& route, Exchange& exchange, bool close, std::string* out) {
    route_ = &route;
    exchange_ = &exchange;
    close_ = close;
    // The line alone, which cpp-httplib reads byte by byte: its answer hangs on nothing else, as
    // the route has the request from the gate.
    request_.assign(exchange.request.method).append(" ").append(exchange.request.path);
    request_.append(" HTTP/1.1\r\n\r\n");
    MemoryStream stream(request_, out);
    process(*this, stream);
    exchange_ = nullptr;
  }

 private:
  // Always as if the connection were to close: else cpp-httplib makes up a Keep-Alive header, at
  // the price of all the rest of an answer, which would have to be taken out.
  static constexpr bool kClose = true;

  // process_request() takes the addresses since 0.18; the one of these that fits is taken.
  template <typename S>
  static auto process(S& server, httplib::Stream& stream)
      -> decltype(server.process_request(stream, {}, 0, {}, 0, kClose, std::declval<bool&>(),
                                         nullptr)) {
    bool closed = false;
    return server.process_request(stream, {}, 0, {}, 0, kClose, closed, nullptr);
  }
  template <typename S>
  static auto process(S& server, httplib::Stream& stream)
      -> decltype(server.process_request(stream, kClose, std::declval<bool&>(), nullptr)) {
    bool closed = false;
    return server.process_request(stream, kClose, closed, nullptr);
  }

  // The request being answered.
  const Route* route_ = nullptr;
  Exchange* exchange_ = nullptr;
  bool close_ = false;
  std::string request_;  // kept for its memory
};

HttplibBridge::HttplibBridge() : server_(std::make_unique<Server>()) {}
HttplibBridge::~HttplibBridge() = default;

void HttplibBridge::answer(const Route& route, Exchange& exchange, bool close, std::string* out) {
  const std::size_t before = out->size();
  server_->run(route, exchange, close, out);
  if (exchange.parked()) out->resize(before);
}

}  // namespace featherid
