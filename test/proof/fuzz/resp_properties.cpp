// SPDX-License-Identifier: MIT
#include "test/proof/fuzz/resp_properties.h"

#include <algorithm>
#include <vector>

#include "server/resp/command_reader.h"
#include "server/resp/reply_writer.h"

namespace featherid::test {

namespace {

using Kind = CommandVerdict::Kind;

// Thrown with what is broken; broken_resp_property() turns it into its answer.
struct Broken {
  std::string what;
};

void require(bool holds, const std::string& what) {
  if (!holds) throw Broken{what};
}

using Words = std::vector<std::string>;

struct Read {
  CommandVerdict verdict;
  Words words;
};

Read read(std::string_view bytes) {
  Command command;
  Read result;
  result.verdict = read_command(bytes, &command);
  if (result.verdict.kind == Kind::kCommand) {
    result.words.assign(command.arguments.begin(), command.arguments.end());
  }
  return result;
}

void require_same(const Read& a, const Read& b, const std::string& where) {
  require(a.verdict.kind == b.verdict.kind, where + " changes the kind of the verdict");
  require(a.verdict.length_bytes == b.verdict.length_bytes, where + " changes the length");
  require(a.verdict.reason == b.verdict.reason, where + " changes the reason");
  require(a.words == b.words, where + " changes the arguments");
}

void check_cuts(std::string_view bytes, const Read& whole) {
  const std::size_t stride = bytes.size() <= 300 ? 1 : bytes.size() / 100;
  for (std::size_t cut = 0; cut < bytes.size(); cut += stride) {
    const Read part = read(bytes.substr(0, cut));
    if (part.verdict.kind != Kind::kNeedMore) {
      require_same(part, whole, "the rest after byte " + std::to_string(cut));
      continue;
    }
    require(whole.verdict.kind != Kind::kCommand || cut < whole.verdict.length_bytes,
            "a whole command waits");
  }
}

std::string as_array(const Words& words) {
  std::string text;
  ReplyWriter writer(RespVersion::k2, &text);
  writer.array(words.size());
  for (const std::string& word : words) writer.bulk(word);
  return text;
}

void check_command(std::string_view text, const Words& words) {
  require(text.size() <= kCommandBytesMax, "a command is too long");
  require(words.size() <= kArgumentsMax, "a command has too many arguments");
  const std::string array = as_array(words);
  if (text.front() == '*') {
    require(words.empty() || text == array, "an array is not the text of its arguments");
  } else {
    require(text.size() <= kInlineBytesMax && text.back() == '\n', "a line is not a line");
  }
  if (array.size() <= kCommandBytesMax - kCountLineBytesMax) {
    require(read(array).words == words, "arguments do not survive");
  }
  for (const std::string& word : words) {
    std::string error;
    ReplyWriter(RespVersion::k2, &error).error("ERR", word);
    require(error.find('\r') == error.size() - 2 && error.find('\n') == error.size() - 1,
            "an error is not one line");
  }
}

void check_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const Read whole = read(bytes);
    check_cuts(bytes.substr(0, 2 * kCommandBytesMax), whole);
    if (whole.verdict.kind == Kind::kNeedMore) {
      return require(bytes.size() < kCommandBytesMax, "more bytes are asked for without end");
    }
    if (whole.verdict.kind == Kind::kReject) {
      return require(!whole.verdict.reason.empty(), "a refusal without a reason");
    }
    const std::size_t length = whole.verdict.length_bytes;
    require(length > 0 && length <= bytes.size(), "a wrong length");
    require_same(read(bytes.substr(0, length)), whole, "what follows");
    check_command(bytes.substr(0, length), whole.words);
    bytes.remove_prefix(length);
  }
}

}  // namespace

std::string broken_resp_property(std::string_view bytes) {
  try {
    check_all(bytes);
  } catch (const Broken& broken) {
    return broken.what;
  }
  return {};
}

}  // namespace featherid::test
