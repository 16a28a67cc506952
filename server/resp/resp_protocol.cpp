// SPDX-License-Identifier: MIT
#include "server/resp/resp_protocol.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <string>
#include <utility>

#include "lib/base/exception_text.h"
#include "server/log/json.h"
#include "server/net/access_log.h"
#include "server/net/connection.h"
#include "server/net/stream.h"
#include "server/resp/command_reader.h"
#include "server/resp/reply_writer.h"

namespace featherid {

namespace {

using Kind = CommandVerdict::Kind;

// Redis shows so much of an unknown command and of its arguments.
constexpr std::size_t kShownBytes = 128;

std::string unknown_command(const Command& command) {
  std::string text = fmt::format("unknown command '{}', with args beginning with: ",
                                 command.arguments.front().substr(0, kShownBytes));
  const std::size_t end = text.size() + kShownBytes;
  for (std::size_t i = 1; i < command.arguments.size() && text.size() < end; ++i) {
    text += fmt::format("'{}' ", command.arguments[i].substr(0, end - text.size()));
  }
  return text;
}

// A browser can be made to send HTTP to any port. Redis closes such a connection at once, because
// what follows may be commands in the body.
bool is_http(const Command& command) {
  return same_word(command.arguments.front(), "post") ||
         same_word(command.arguments.front(), "host:");
}

bool has_arity(const RespCommand& command, std::size_t arguments) {
  const auto count = static_cast<int>(arguments);
  return command.arity >= 0 ? count == command.arity : count >= -command.arity;
}

class RespConversation final : public Conversation {
 public:
  RespConversation(ConnectionLoop& loop, RespLoop& shared, const RespServices& services,
                   const RespProtocol& protocol, const Stream& stream, std::uint64_t id)
      : loop_(loop), shared_(shared), services_(services), protocol_(protocol), stream_(stream) {
    client_.id = id;
    client_.peer_is_loopback = stream.peer_is_loopback();
    client_.since = NetClock::now();
  }

  std::size_t inspect(std::string_view input) override {
    verdict_ = read_command(input, &command_);
    if (verdict_.kind == Kind::kNeedMore) return 0;
    return verdict_.kind == Kind::kReject ? input.size() : verdict_.length_bytes;
  }

  StartWait answer(Turn& turn, std::string* out) override {
    if (verdict_.kind == Kind::kReject) {
      reject("Protocol error: " + verdict_.reason, turn, out);
      return {};
    }
    if (command_.arguments.empty()) return {};
    const std::size_t number = find_resp_command(command_.arguments.front());
    const std::size_t out_before = out->size();
    RespCall call{command_.arguments, turn, client_, services_, loop_, stream_, protocol_, out};
    serve(number, call);
    if (call.start_wait) return std::move(call.start_wait);
    if (loop_.draining && !turn.more_follow && NetClock::now() >= loop_.grace_end) {
      turn.close = true;
    }
    note_answer(number, call.result, out->size() - out_before, turn);
    return {};
  }

  void end_turn(Turn& turn) override {
    if (shared_.uncounted.empty()) return;
    turn.now = NetClock::now();
    const auto took = turn.now - turn.began;  // all of them began together
    for (const auto& [number, result] : shared_.uncounted) shared_.stats.note(number, result, took);
    shared_.uncounted.clear();
  }

  void refuse(Refusal why, std::string_view, Turn& turn, std::string* out) override {
    switch (why) {
      case Refusal::kTooManyConnections:
        return reject("max number of clients reached", turn, out);
      case Refusal::kTooLate:
        return reject("Protocol error: the command did not arrive in time", turn, out);
      case Refusal::kPlainHttp:
        return reject("this port speaks Redis's protocol over TLS", turn, out);
    }
  }

 private:
  void serve(std::size_t number, RespCall& call);
  void note_answer(std::size_t number, RespResult result, std::size_t bytes, Turn& turn);
  void reject(std::string_view reason, Turn& turn, std::string* out);
  std::string shown_command(std::size_t number) const;

  ConnectionLoop& loop_;
  RespLoop& shared_;
  const RespServices& services_;
  const RespProtocol& protocol_;
  const Stream& stream_;
  RespClient client_;

  CommandVerdict verdict_;  // on the bytes at the front of the input
  Command command_;
};

void RespConversation::serve(std::size_t number, RespCall& call) {
  if (number == resp_commands().size()) {
    if (is_http(command_)) {
      call.result = RespResult::kError;
      call.turn.close = true;
      return;
    }
    return call.fail(RespResult::kError, unknown_command(command_));
  }
  const RespCommand& command = resp_commands()[number];
  if (!has_arity(command, command_.arguments.size())) {
    return call.fail(RespResult::kError,
                     fmt::format("wrong number of arguments for '{}' command", command.name));
  }
  // relaxed: a command that does not see the change is as good as one that came before it. One
  // that has waited was permitted before.
  const bool closed = services_.auth.closed().load(std::memory_order_relaxed);
  if (closed && !command.before_auth && !call.turn.wait.over &&
      !services_.auth.permits_reading(client_.token, client_.peer_is_loopback)) {
    return call.fail(RespResult::kNoAuth, "Authentication required.");
  }
  const std::size_t out_before = call.out->size();
  try {
    command.handle(call);
  } catch (const std::exception& error) {
    spdlog::error("{} failed: {} {}", command.name, json_string(text_of(error)),
                  log_tag(call.turn.number, {}));
    call.out->resize(out_before);
    call.start_wait = {};
    call.fail(RespResult::kUnavailable, "the server failed; its log says why");
  }
}

// Arguments may contain a token, so only those of the commands about tags are logged.
std::string RespConversation::shown_command(std::size_t number) const {
  if (number == resp_commands().size()) return "unknown command";
  const RespCommand& command = resp_commands()[number];
  std::string text(command.name);
  if (command.keys == 0) return text;
  for (std::size_t i = 1; i < command_.arguments.size() && text.size() < kShownBytes; ++i) {
    text.append(" ").append(json_string(command_.arguments[i].substr(0, kShownBytes)));
  }
  return text;
}

void RespConversation::note_answer(std::size_t number, RespResult result, std::size_t bytes,
                                   Turn& turn) {
  if (!turn.wait.over && !turn.wait.expired && !logs_access(false)) {
    return shared_.uncounted.emplace_back(number, static_cast<std::size_t>(result)), void();
  }
  turn.now = NetClock::now();
  const auto took = turn.now - turn.began;
  shared_.stats.note(number, static_cast<std::size_t>(result), took);
  if (!logs_access(false)) return;
  const std::string_view word = to_word(result);
  log_access({shown_command(number),
              fmt::format("result={}", word),
              fmt::format(R"("result":"{}")", word),
              false,
              bytes,
              took,
              stream_.peer(),
              turn.number,
              {}});
}

void RespConversation::reject(std::string_view reason, Turn& turn, std::string* out) {
  const std::size_t out_before = out->size();
  const std::string_view word = to_word(RespResult::kError);
  ReplyWriter(client_.version, out).error(word, reason);
  shared_.stats.note(resp_commands().size(), static_cast<std::size_t>(RespResult::kError),
                     NetClock::duration(0));
  turn.close = true;
  if (!logs_access(false)) return;
  log_access({"no request: " + std::string(reason),
              fmt::format("result={}", word),
              fmt::format(R"("result":"{}")", word),
              false,
              out->size() - out_before,
              {},
              stream_.peer(),
              turn.number,
              {}});
}

}  // namespace

void RespProtocol::start(std::size_t loops) {
  for (std::size_t i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<RespLoop>(resp_commands().size() + 1,
                                                static_cast<std::size_t>(RespResult::kCount)));
  }
}

std::unique_ptr<Conversation> RespProtocol::open(ConnectionLoop& loop, const Stream& stream) {
  return std::make_unique<RespConversation>(loop, *loops_[loop.number], services_, *this, stream,
                                            ++last_client_);
}

std::size_t RespProtocol::request_bytes_max() const { return kCommandBytesMax; }

std::chrono::milliseconds RespProtocol::idle_timeout(const NetOptions& options) const {
  constexpr std::chrono::hours kNever{24 * 365 * 10};
  return options.resp_idle_timeout.count() > 0 ? options.resp_idle_timeout : kNever;
}

ProtocolStats RespProtocol::stats() const {
  ProtocolStats stats;
  const std::vector<RespCommand>& commands = resp_commands();
  std::vector<RouteStats> sums(commands.size() + 1);
  for (const std::unique_ptr<RespLoop>& loop : loops_) loop->stats.add_to(&sums);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    stats.routes.push_back(
        {std::string(i < commands.size() ? commands[i].name : ""), std::move(sums[i])});
  }
  for (int kind = 0; kind < static_cast<int>(RespResult::kCount); ++kind) {
    stats.kinds.push_back(to_word(static_cast<RespResult>(kind)));
  }
  stats.accepted = accepted;
  stats.connections = connections;
  stats.parked = parked;
  return stats;
}

}  // namespace featherid
