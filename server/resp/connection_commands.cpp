// SPDX-License-Identifier: MIT
// The commands about a client's own connection.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>

#include "server/resp/resp_command.h"

namespace featherid {

namespace {

constexpr std::string_view kUser = "default";
constexpr std::size_t kNameBytesMax = 128;

// False if there is no such user and token; the answer then says so.
bool authenticate(RespCall& call, std::string_view user, std::string_view token) {
  if (!call.services.auth.has_tokens()) {
    call.fail(RespResult::kError,
              "AUTH <password> called without any password configured for the default user. Are "
              "you sure your configuration is correct?");
    return false;
  }
  const auto digest = call.services.auth.recognize(token);
  if (user != kUser || !digest) {
    call.fail(RespResult::kWrongPass, "invalid username-password pair or user is disabled.");
    return false;
  }
  call.client.token = digest;
  return true;
}

// A name that fits into one word of a log line. Empty: no name.
bool set_name(RespCall& call, std::string_view name, std::string* to) {
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (printable && name.size() <= kNameBytesMax) return *to = name, true;
  call.fail(
      RespResult::kError,
      "Client names cannot contain spaces, newlines or special characters, and have at most " +
          std::to_string(kNameBytesMax) + " characters.");
  return false;
}

void set_library(RespCall& call) {
  const std::string_view attribute = call.arguments[2];
  const std::string_view value = call.arguments[3];
  if (same_word(attribute, "lib-name")) {
    if (set_name(call, value, &call.client.library_name)) call.reply().simple("OK");
  } else if (same_word(attribute, "lib-ver")) {
    if (set_name(call, value, &call.client.library_version)) call.reply().simple("OK");
  } else {
    call.fail(RespResult::kError, fmt::format("Unrecognized option '{}'", attribute));
  }
}

std::string describe(const RespCall& call) {
  const RespClient& client = call.client;
  const auto age =
      std::chrono::duration_cast<std::chrono::seconds>(NetClock::now() - client.since).count();
  return fmt::format(
      "id={} addr={} name={} age={} idle=0 flags=N db=0 cmd=client|info user={} lib-name={} "
      "lib-ver={} resp={}\n",
      client.id, call.stream.peer(), client.name, age, kUser, client.library_name,
      client.library_version, static_cast<int>(client.version));
}

struct Subcommand {
  std::string_view name;
  std::size_t arguments;
  void (*handle)(RespCall&);
};

constexpr Subcommand kSubcommands[] = {
    {"id", 2,
     [](RespCall& call) { call.reply().integer(static_cast<std::int64_t>(call.client.id)); }},
    {"getname", 2,
     [](RespCall& call) {
       call.client.name.empty() ? call.reply().null() : call.reply().bulk(call.client.name);
     }},
    {"setname", 3,
     [](RespCall& call) {
       if (set_name(call, call.arguments[2], &call.client.name)) call.reply().simple("OK");
     }},
    {"setinfo", 4, set_library},
    {"info", 2, [](RespCall& call) { call.reply().text(describe(call)); }},
    {"help", 2,
     [](RespCall& call) {
       call.reply().array(1);
       call.reply().simple("CLIENT GETNAME | ID | INFO | SETNAME name | SETINFO option value");
     }},
};

void answer_hello(RespCall& call) {
  ReplyWriter writer = call.reply();
  writer.map(7);
  writer.bulk("server");
  writer.bulk("featherid");
  writer.bulk("version");
  writer.bulk(kRedisVersion);
  writer.bulk("proto");
  writer.integer(static_cast<std::int64_t>(writer.version()));
  writer.bulk("id");
  writer.integer(static_cast<std::int64_t>(call.client.id));
  writer.bulk("mode");
  writer.bulk("standalone");
  writer.bulk("role");
  writer.bulk("master");
  writer.bulk("modules");
  writer.array(0);
}

}  // namespace

void resp_ping(RespCall& call) {
  if (call.arguments.size() > 2) {
    return call.fail(RespResult::kError, "wrong number of arguments for 'ping' command");
  }
  call.arguments.size() == 2 ? call.reply().bulk(call.arguments[1]) : call.reply().simple("PONG");
}

void resp_echo(RespCall& call) { call.reply().bulk(call.arguments[1]); }

void resp_auth(RespCall& call) {
  const auto& arguments = call.arguments;
  if (arguments.size() > 3) return call.fail(RespResult::kError, "syntax error");
  const bool ok = arguments.size() == 3 ? authenticate(call, arguments[1], arguments[2])
                                        : authenticate(call, kUser, arguments[1]);
  if (ok) call.reply().simple("OK");
}

void resp_hello(RespCall& call) {
  const auto& arguments = call.arguments;
  RespVersion version = call.client.version;
  if (arguments.size() > 1) {
    if (arguments[1] != "2" && arguments[1] != "3") {
      const bool number = arguments[1].find_first_not_of("0123456789") == std::string_view::npos;
      return number ? call.fail(RespResult::kNoProtocol, "unsupported protocol version")
                    : call.fail(RespResult::kError,
                                "Protocol version is not an integer or out of range");
    }
    version = arguments[1] == "2" ? RespVersion::k2 : RespVersion::k3;
  }
  std::string name = call.client.name;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const std::size_t more = arguments.size() - 1 - i;
    if (same_word(arguments[i], "auth") && more >= 2) {
      if (!authenticate(call, arguments[i + 1], arguments[i + 2])) return;
      i += 2;
    } else if (same_word(arguments[i], "setname") && more >= 1) {
      if (!set_name(call, arguments[++i], &name)) return;
    } else {
      return call.fail(RespResult::kError,
                       fmt::format("Syntax error in HELLO option '{}'", arguments[i]));
    }
  }
  const Auth& auth = call.services.auth;
  if (auth.closed() && !auth.permits_reading(call.client.token, call.client.peer_is_loopback)) {
    return call.fail(RespResult::kNoAuth,
                     "HELLO must be called with the client already authenticated, otherwise the "
                     "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the "
                     "client and select the RESP protocol version at the same time");
  }
  call.client.version = version;
  call.client.name = name;
  answer_hello(call);
}

void resp_select(RespCall& call) {
  const std::string_view text = call.arguments[1];
  int number = -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) {
    return call.fail(RespResult::kError, "value is not an integer or out of range");
  }
  if (number != 0) return call.fail(RespResult::kError, "DB index is out of range");
  call.reply().simple("OK");
}

void resp_client(RespCall& call) {
  const std::string_view name = call.arguments[1];
  for (const Subcommand& subcommand : kSubcommands) {
    if (!same_word(name, subcommand.name)) continue;
    if (call.arguments.size() == subcommand.arguments) return subcommand.handle(call);
    return call.fail(
        RespResult::kError,
        fmt::format("wrong number of arguments for 'client|{}' command", subcommand.name));
  }
  call.fail(RespResult::kError, fmt::format("unknown subcommand '{}'. Try CLIENT HELP.",
                                            name.substr(0, kNameBytesMax)));
}

void resp_reset(RespCall& call) {
  call.client.version = RespVersion::k2;
  call.client.name.clear();
  call.client.token.reset();
  call.reply().simple("RESET");
}

void resp_quit(RespCall& call) {
  call.turn.close = true;
  call.reply().simple("OK");
}

}  // namespace featherid
