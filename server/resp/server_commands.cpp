// SPDX-License-Identifier: MIT
// The commands about the server.
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "featherid/version.h"
#include "server/resp/resp_command.h"
#include "server/resp/resp_protocol.h"

namespace featherid {

namespace {

// --- COMMAND ---

std::vector<std::string> words_of(const char* text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

void describe(const RespCommand& command, ReplyWriter& reply) {
  reply.array(10);
  reply.bulk(command.name);
  reply.integer(command.arity);
  const std::vector<std::string> flags = words_of(command.flags);
  reply.set(flags.size());
  for (const std::string& flag : flags) reply.simple(flag);
  reply.integer(command.keys == 0 ? 0 : 1);  // the first key
  reply.integer(command.keys);               // the last one
  reply.integer(command.keys == 0 ? 0 : 1);  // the distance between two
  reply.set(0);                              // access lists
  reply.array(0);                            // tips
  reply.array(0);                            // more about keys
  reply.array(0);                            // subcommands
}

void document(const RespCommand& command, ReplyWriter& reply) {
  reply.bulk(command.name);
  reply.map(2);
  reply.bulk("summary");
  reply.bulk(command.summary);
  reply.bulk("group");
  reply.bulk(command.group);
}

// The commands that are named from the third argument on; all, if none is.
std::vector<std::size_t> named(const RespCall& call) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 2; i < call.arguments.size(); ++i) {
    numbers.push_back(find_resp_command(call.arguments[i]));
  }
  for (std::size_t i = 0; call.arguments.size() <= 2 && i < resp_commands().size(); ++i) {
    numbers.push_back(i);
  }
  return numbers;
}

void describe_all(const std::vector<std::size_t>& numbers, ReplyWriter reply) {
  reply.array(numbers.size());
  for (const std::size_t number : numbers) {
    number < resp_commands().size() ? describe(resp_commands()[number], reply) : reply.null_array();
  }
}

void document_all(std::vector<std::size_t> numbers, ReplyWriter reply) {
  const auto unknown = [](std::size_t number) { return number >= resp_commands().size(); };
  numbers.erase(std::remove_if(numbers.begin(), numbers.end(), unknown), numbers.end());
  reply.map(numbers.size());
  for (const std::size_t number : numbers) document(resp_commands()[number], reply);
}

void list_names(ReplyWriter reply) {
  reply.array(resp_commands().size());
  for (const RespCommand& command : resp_commands()) reply.bulk(command.name);
}

// --- INFO ---

struct Section {
  const char* name;
  std::string lines;
};

std::vector<Section> sections(const RespCall& call) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(NetClock::now() - call.protocol.began())
          .count();
  const ProtocolStats stats = call.protocol.stats();
  std::uint64_t commands = 0;
  for (const ProtocolStats::Route& command : stats.routes) {
    for (const auto& [result, count] : command.stats.answers) commands += count;
  }
  return {
      {"Server", fmt::format("redis_version:{}\r\nserver_name:featherid\r\nfeatherid_version:{}\r\n"
                             "redis_mode:standalone\r\nprocess_id:{}\r\nuptime_in_seconds:{}\r\n",
                             kRedisVersion, FEATHERID_VERSION, ::getpid(), uptime)},
      {"Clients", fmt::format("connected_clients:{}\r\nblocked_clients:{}\r\n", stats.connections,
                              stats.parked)},
      {"Persistence", "loading:0\r\nasync_loading:0\r\n"},
      {"Stats", fmt::format("total_connections_received:{}\r\ntotal_commands_processed:{}\r\n",
                            stats.accepted, commands)},
      {"Replication", "role:master\r\nconnected_slaves:0\r\n"},
      {"Cluster", "cluster_enabled:0\r\n"},
  };
}

bool is_asked_for(const RespCall& call, const Section& section) {
  if (call.arguments.size() == 1) return true;
  std::string name = section.name;
  name.front() = static_cast<char>(name.front() + ('a' - 'A'));
  return std::any_of(call.arguments.begin() + 1, call.arguments.end(), [&](std::string_view word) {
    return same_word(word, name) || same_word(word, "all") || same_word(word, "default") ||
           same_word(word, "everything");
  });
}

}  // namespace

void resp_command(RespCall& call) {
  if (call.arguments.size() == 1) return describe_all(named(call), call.reply());
  const std::string_view subcommand = call.arguments[1];
  const bool alone = call.arguments.size() == 2;
  if (same_word(subcommand, "count") && alone) {
    return call.reply().integer(static_cast<std::int64_t>(resp_commands().size()));
  }
  if (same_word(subcommand, "list") && alone) return list_names(call.reply());
  if (same_word(subcommand, "info")) return describe_all(named(call), call.reply());
  if (same_word(subcommand, "docs")) return document_all(named(call), call.reply());
  if (same_word(subcommand, "help") && alone) {
    call.reply().array(1);
    return call.reply().simple(
        "COMMAND (no subcommand) | COUNT | DOCS [name ...] | INFO [name ...] | LIST");
  }
  call.fail(RespResult::kError,
            fmt::format("unknown subcommand or wrong number of arguments for '{}'. Try COMMAND "
                        "HELP.",
                        subcommand.substr(0, 128)));
}

void resp_info(RespCall& call) {
  std::string text;
  for (const Section& section : sections(call)) {
    if (!is_asked_for(call, section)) continue;
    if (!text.empty()) text += "\r\n";
    text += fmt::format("# {}\r\n{}", section.name, section.lines);
  }
  call.reply().text(text);
}

void resp_time(RespCall& call) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  ReplyWriter reply = call.reply();
  reply.array(2);
  reply.bulk(std::to_string(now / 1000000));
  reply.bulk(std::to_string(now % 1000000));
}

}  // namespace featherid
