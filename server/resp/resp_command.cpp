// SPDX-License-Identifier: MIT
#include "server/resp/resp_command.h"

#include <strings.h>

#include <array>
#include <utility>

namespace featherid {

std::string_view to_word(RespResult result) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(RespResult::kCount)>
      kWords{"OK",        "ERR",      "NOAUTH",      "WRONGPASS", "NOPROTO", "NOTAG",
             "EXHAUSTED", "DATALOSS", "UNAVAILABLE", "TIMEOUT",   "BUSY"};
  return kWords[static_cast<std::size_t>(result)];
}

void RespCall::fail(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return fail(RespResult::kError, status.message());
    case StatusCode::kNotFound:
      return fail(RespResult::kNoTag, status.message());
    case StatusCode::kExhausted:
      return fail(RespResult::kExhausted, status.message());
    case StatusCode::kDataLoss:
      return fail(RespResult::kDataLoss, status.message());
    case StatusCode::kDeadlineExceeded:
      return fail(RespResult::kTimeout, status.message());
    default:
      return fail(RespResult::kUnavailable, status.message());
  }
}

void RespCall::park(StartWait start) {
  if (!loop.may_park()) return fail(RespResult::kBusy, "too many commands are waiting; try again");
  start_wait = std::move(start);
}

const std::vector<RespCommand>& resp_commands() {
  static const std::vector<RespCommand> commands = {
      {"incr", 2, resp_incr, "write fast", 1, "string", "Returns the next id of a tag."},
      {"incrby", 3, resp_incrby, "write fast", 1, "string",
       "Takes n consecutive ids of a tag, and returns the last one."},
      {"ping", -1, resp_ping, "fast", 0, "connection", "Answers PONG, or the text."},
      {"get", 2, resp_get, "readonly fast", 1, "string",
       "Fails: an id is used up when it is returned."},
      {"exists", -2, resp_exists, "readonly fast", -1, "generic", "Counts the tags that exist."},
      {"type", 2, resp_type, "readonly fast", 1, "generic", "Says string if the tag exists."},
      {"echo", 2, resp_echo, "fast", 0, "connection", "Answers the text."},
      {"auth", -2, resp_auth, "noscript loading stale fast no_auth", 0, "connection",
       "Presents a token.", true},
      {"hello", -1, resp_hello, "noscript loading stale fast no_auth", 0, "connection",
       "Chooses the version of the protocol.", true},
      {"select", 2, resp_select, "loading stale fast", 0, "connection", "Accepts database 0."},
      {"client", -2, resp_client, "noscript loading stale", 0, "connection",
       "Names this connection, and describes it."},
      {"reset", 1, resp_reset, "noscript loading stale fast no_auth", 0, "connection",
       "Makes this connection as it was at first.", true},
      {"quit", -1, resp_quit, "noscript loading stale fast no_auth", 0, "connection",
       "Closes this connection.", true},
      {"command", -1, resp_command, "loading stale", 0, "server", "Describes the commands."},
      {"info", -1, resp_info, "loading stale", 0, "server", "Describes the server."},
      {"time", 1, resp_time, "loading stale fast", 0, "server", "Returns the server's time."},
  };
  return commands;
}

bool same_word(std::string_view word, std::string_view small_letters) {
  return word.size() == small_letters.size() &&
         ::strncasecmp(word.data(), small_letters.data(), word.size()) == 0;
}

std::size_t find_resp_command(std::string_view name) {
  const std::vector<RespCommand>& commands = resp_commands();
  std::size_t number = 0;
  while (number < commands.size() && !same_word(name, commands[number].name)) ++number;
  return number;
}

}  // namespace featherid
