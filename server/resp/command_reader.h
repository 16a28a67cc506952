// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_RESP_COMMAND_READER_H_
#define FEATHERID_SERVER_RESP_COMMAND_READER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace featherid {

// The bounds of one command.
constexpr std::size_t kArgumentsMax = 128;
constexpr std::size_t kCommandBytesMax = 16 * 1024;
constexpr std::size_t kInlineBytesMax = 4096;
constexpr std::size_t kCountLineBytesMax = 32;  // "*3\r\n" and "$5\r\n"

// One command of a Redis client. The views point into the bytes that were read or into `decoded`,
// so it is neither copied nor moved. Reusing one saves memory.
struct Command {
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  std::vector<std::string_view> arguments;  // the first is its name; none: nothing was asked for
  std::string decoded;                      // of a command that was sent as a line
};

struct CommandVerdict {
  enum class Kind { kNeedMore, kCommand, kReject };
  Kind kind = Kind::kNeedMore;
  std::size_t length_bytes = 0;  // kCommand: its length
  std::string reason;            // kReject: what is wrong, in Redis's words
};

// Reads the command at the front of `bytes`: an array of bulk strings, or a line. A pure function,
// stricter than Redis: each number has one form, and each length is followed by its line end. It
// returns kNeedMore only for fewer than kCommandBytesMax bytes, and reserves no memory for what has
// not arrived.
CommandVerdict read_command(std::string_view bytes, Command* command);

}  // namespace featherid

#endif  // FEATHERID_SERVER_RESP_COMMAND_READER_H_
