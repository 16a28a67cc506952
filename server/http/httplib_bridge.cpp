// SPDX-License-Identifier: MIT
#include "server/http/httplib_bridge.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>

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
  explicit Server(const Router& router) : router_(router) {
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
      router_.dispatch(*exchange_);
      const Reply& reply = exchange_->reply;
      response.status = reply.status;
      response.set_content(reply.body, reply.content_type);
      if (reply.header.first != nullptr) {
        response.set_header(reply.header.first, reply.header.second);
      }
      if (const std::string id = request_id_of(reply); !id.empty()) {
        response.set_header("X-Request-Id", id);
      }
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
      // What cpp-httplib says of its own connections and files is not true of these.
      response.headers.erase("Keep-Alive");
      response.headers.erase("Accept-Ranges");
    });
  }

  void run(Exchange& exchange, bool close, std::string* out) {
    exchange_ = &exchange;
    request_.clear();
    append_normalized(exchange.request, &request_);
    MemoryStream stream(request_, out);
    process(*this, stream, close);
    exchange_ = nullptr;
  }

 private:
  // process_request() takes the addresses since 0.18; the one of these that fits is taken.
  template <typename S>
  static auto process(S& server, httplib::Stream& stream, bool close)
      -> decltype(server.process_request(stream, {}, 0, {}, 0, close, close, nullptr)) {
    bool closed = false;
    return server.process_request(stream, {}, 0, {}, 0, close, closed, nullptr);
  }
  template <typename S>
  static auto process(S& server, httplib::Stream& stream, bool close)
      -> decltype(server.process_request(stream, close, close, nullptr)) {
    bool closed = false;
    return server.process_request(stream, close, closed, nullptr);
  }

  const Router& router_;
  Exchange* exchange_ = nullptr;  // the one being answered
  std::string request_;           // kept for its memory
};

HttplibBridge::HttplibBridge(const Router& router) : server_(std::make_unique<Server>(router)) {}
HttplibBridge::~HttplibBridge() = default;

void HttplibBridge::answer(Exchange& exchange, bool close, std::string* out) {
  const std::size_t before = out->size();
  server_->run(exchange, close, out);
  if (exchange.parked()) out->resize(before);
}

}  // namespace featherid
