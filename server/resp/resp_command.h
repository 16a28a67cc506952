// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_RESP_RESP_COMMAND_H_
#define FEATHERID_SERVER_RESP_RESP_COMMAND_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/tag_admin.h"
#include "server/api/auth.h"
#include "server/net/connection.h"
#include "server/ops/store_calls.h"
#include "server/resp/reply_writer.h"

namespace featherid {

// How a command was answered: OK, or the kind of error, which is the first word of its answer.
// Programs rely on these words: docs/redis.md lists them.
enum class RespResult {
  kOk,
  kError,        // ERR: the command is wrong
  kNoAuth,       // NOAUTH: it requires a token
  kWrongPass,    // WRONGPASS: no such token
  kNoProtocol,   // NOPROTO: no such version of the protocol
  kNoTag,        // NOTAG: no such tag
  kExhausted,    // EXHAUSTED: the tag has reached its end
  kDataLoss,     // DATALOSS: the store went backwards; an operator must act
  kUnavailable,  // UNAVAILABLE: try again later
  kTimeout,      // TIMEOUT: no id came in time
  kBusy,         // BUSY: too many commands are waiting
  kCount,
};
std::string_view to_word(RespResult result);

// The Redis version whose commands and messages this server follows. Clients ask for it.
constexpr const char* kRedisVersion = "7.0.0";

class RespProtocol;

// What the commands work on. Must outlive the protocol.
struct RespServices {
  SegmentAllocator& allocator;
  std::shared_ptr<TagAdmin> store;
  StoreCalls& calls;
  const Auth& auth;
};

// The state of one client's connection.
struct RespClient {
  RespVersion version = RespVersion::k2;
  std::uint64_t id = 0;
  bool peer_is_loopback = false;
  NetClock::time_point since;
  std::string name;
  std::string library_name;
  std::string library_version;
  std::optional<Token::Digest> token;
};

// One command, as its handler sees it.
struct RespCall {
  const std::vector<std::string_view>& arguments;
  Turn& turn;
  RespClient& client;
  const RespServices& services;
  const ConnectionLoop& loop;
  const Stream& stream;
  const RespProtocol& protocol;
  std::string* out;

  RespResult result = RespResult::kOk;
  StartWait start_wait = {};  // set it to park the command

  ReplyWriter reply() const { return {client.version, out}; }
  void fail(RespResult kind, std::string_view message) {
    result = kind;
    reply().error(to_word(kind), message);
  }
  void fail(const Status& status);
  // Parks the command, if as many as this may wait.
  void park(StartWait start);
};

// A command of the table.
struct RespCommand {
  std::string_view name;  // in small letters
  int arity;              // of arguments with the name; negative: at least as many
  void (*handle)(RespCall&);
  const char* flags;  // Redis's words, separated by spaces
  int keys;           // where tags are among the arguments: 0: nowhere, 1: the first, -1: all
  const char* group;
  const char* summary;
  bool before_auth = false;  // a client may use it without a token
};

// All commands. The first ones are the most used.
const std::vector<RespCommand>& resp_commands();
// The number of the command in the table; its size if there is none. In any case of letters.
std::size_t find_resp_command(std::string_view name);

bool same_word(std::string_view word, std::string_view small_letters);

// The handlers, by file.
void resp_incr(RespCall& call);
void resp_incrby(RespCall& call);
void resp_get(RespCall& call);
void resp_exists(RespCall& call);
void resp_type(RespCall& call);

void resp_ping(RespCall& call);
void resp_echo(RespCall& call);
void resp_auth(RespCall& call);
void resp_hello(RespCall& call);
void resp_select(RespCall& call);
void resp_client(RespCall& call);
void resp_reset(RespCall& call);
void resp_quit(RespCall& call);

void resp_command(RespCall& call);
void resp_info(RespCall& call);
void resp_time(RespCall& call);

}  // namespace featherid

#endif  // FEATHERID_SERVER_RESP_RESP_COMMAND_H_
