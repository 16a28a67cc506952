// SPDX-License-Identifier: MIT
#include "server/http/http_protocol.h"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <string_view>
#include <utility>

#include "server/http/exchange.h"
#include "server/http/reply.h"
#include "server/http/request_gate.h"
#include "server/log/json.h"
#include "server/net/access_log.h"
#include "server/net/connection.h"
#include "server/net/stream.h"

namespace featherid {

namespace {

using Kind = GateVerdict::Kind;

class HttpConversation final : public Conversation {
 public:
  HttpConversation(ConnectionLoop& loop, HttpLoop& http, const Router& router, const Stream& stream)
      : loop_(loop),
        http_(http),
        router_(router),
        stream_(stream),
        peer_is_loopback_(stream.peer_is_loopback()) {}

  std::size_t inspect(std::string_view input) override {
    verdict_ = inspect_request(input);
    input_ = input;
    if (verdict_.kind == Kind::kNeedMore) return 0;
    return verdict_.kind == Kind::kReject ? input.size() : verdict_.length_bytes;
  }

  StartWait answer(Turn& turn, std::string* out) override {
    if (verdict_.kind == Kind::kReject) {
      reject(verdict_.status, verdict_.reason, turn, out);
      return {};
    }
    const HttpRequest& request = verdict_.request;
    Exchange exchange(request, peer_is_loopback_, turn.wait);
    exchange.reply.request_number = turn.number;
    exchange.reply.date = http_.date(loop_.wall_clock);
    const std::size_t route = router_.serve(exchange);
    if (exchange.parked()) {
      if (!turn.wait.expired && loop_.may_park()) return exchange.take_wait();
      exchange.reply.fail_for_now("too many requests are waiting for ids; try again");
    }
    turn.close = !request.keep_alive || (loop_.draining && !turn.more_follow);
    const std::size_t out_before = out->size();
    append_response(exchange.reply, request.method == "HEAD", turn.close, out);
    note_answer(route, exchange, out->size() - out_before, turn);
    return {};
  }

  void refuse(Refusal why, std::string_view input, Turn& turn, std::string* out) override {
    input_ = input;
    switch (why) {
      case Refusal::kTooManyConnections:
        return reject(503, "there are too many connections; try again", turn, out);
      case Refusal::kTooLate:
        return reject(408, "the request did not arrive in time", turn, out);
      case Refusal::kPlainHttp:
        return reject(400, "this port speaks TLS: use https://", turn, out);
    }
  }

 private:
  void note_answer(std::size_t route, const Exchange& exchange, std::size_t bytes, Turn& turn);
  void reject(int status, std::string_view reason, Turn& turn, std::string* out);

  ConnectionLoop& loop_;
  HttpLoop& http_;
  const Router& router_;
  const Stream& stream_;
  const bool peer_is_loopback_;

  GateVerdict verdict_;     // on the request at the front of
  std::string_view input_;  // what has arrived; valid until the answer
};

void HttpConversation::note_answer(std::size_t route, const Exchange& exchange, std::size_t bytes,
                                   Turn& turn) {
  const HttpRequest& request = exchange.request;
  turn.now = NetClock::now();
  const auto took = turn.now - turn.began;
  http_.stats.note(route, static_cast<std::size_t>(exchange.reply.status), took);
  if (!logs_access(exchange.changes)) return;
  const int status = exchange.reply.status;
  log_access({std::string(request.method) + ' ' + logged_target(request.path, request.query),
              fmt::format("status={}", status),
              fmt::format(R"("status":{},"method":"{}","path":{})", status, request.method,
                          json_string(request.path)),
              exchange.changes, bytes, took, stream_.peer(), turn.number, request.traceparent});
}

void HttpConversation::reject(int status, std::string_view reason, Turn& turn, std::string* out) {
  const std::size_t out_before = out->size();
  Reply reply;
  reply.request_number = turn.number;
  reply.date = http_.date(loop_.wall_clock);
  if (status == 503) {
    reply.fail_for_now(reason);
  } else {
    reply.fail(status, ApiCode::kBadRequest, reason);
  }
  const bool head = input_.substr(0, 5) == "HEAD ";  // the request may be incomplete or malformed
  append_response(reply, head, true, out);
  http_.stats.note(router_.no_route(), static_cast<std::size_t>(status), NetClock::duration(0));
  turn.close = true;
  if (!logs_access(false)) return;
  log_access({"no request: " + std::string(reason),
              fmt::format("status={}", status),
              fmt::format(R"("status":{})", status),
              false,
              out->size() - out_before,
              {},
              stream_.peer(),
              turn.number,
              {}});
}

}  // namespace

const std::string& HttpLoop::date(std::time_t now) {
  if (now != date_of_) {
    date_ = http_date(now);
    date_of_ = now;
  }
  return date_;
}

void HttpProtocol::start(std::size_t loops) {
  for (std::size_t i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<HttpLoop>(router_.no_route() + 1));
  }
}

std::unique_ptr<Conversation> HttpProtocol::open(ConnectionLoop& loop, const Stream& stream) {
  return std::make_unique<HttpConversation>(loop, *loops_[loop.number], router_, stream);
}

std::size_t HttpProtocol::request_bytes_max() const { return kRequestBytesMax; }

std::chrono::milliseconds HttpProtocol::idle_timeout(const NetOptions& options) const {
  return options.idle_timeout;
}

ProtocolStats HttpProtocol::stats() const {
  ProtocolStats stats;
  std::vector<RouteStats> sums(router_.no_route() + 1);
  for (const std::unique_ptr<HttpLoop>& loop : loops_) loop->stats.add_to(&sums);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const bool is_route = i != router_.no_route();
    stats.routes.push_back({is_route ? router_.routes()[i].path : "", std::move(sums[i])});
  }
  stats.accepted = accepted;
  stats.connections = connections;
  stats.parked = parked;
  return stats;
}

}  // namespace featherid
