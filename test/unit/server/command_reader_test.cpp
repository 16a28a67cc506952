// SPDX-License-Identifier: MIT
#include "server/resp/command_reader.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

using Kind = CommandVerdict::Kind;
using Words = std::vector<std::string>;

// The words of a command that is all of `bytes`; "need more", or the reason why it is rejected.
Words read(const std::string& bytes) {
  Command command;
  const CommandVerdict verdict = read_command(bytes, &command);
  if (verdict.kind == Kind::kNeedMore) return {"need more"};
  if (verdict.kind == Kind::kReject) return {"reject: " + verdict.reason};
  CHECK(verdict.length_bytes == bytes.size());
  return {command.arguments.begin(), command.arguments.end()};
}

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace

TEST_CASE("arrays of bulk strings are read", "[command_reader]") {
  CHECK(read("*2\r\n$4\r\nINCR\r\n$5\r\norder\r\n") == Words{"INCR", "order"});
  CHECK(read("*1\r\n$0\r\n\r\n") == Words{""});
  CHECK(read("*0\r\n").empty());
  CHECK(read("*-1\r\n").empty());
  const std::string any("\r\n\0*$", 5);
  CHECK(read("*1\r\n" + bulk(any)) == Words{any});
}

TEST_CASE("a command is not whole before its last byte", "[command_reader]") {
  for (const std::string whole :
       {"*2\r\n$4\r\nINCR\r\n$5\r\norder\r\n", "incr \"or\\x64er\"\r\n"}) {
    for (std::size_t i = 0; i < whole.size(); ++i)
      CHECK(read(whole.substr(0, i)) == Words{"need more"});
    Command command;
    const std::string two = whole + whole;
    CHECK(read_command(two, &command).length_bytes == whole.size());
    CHECK(command.arguments.back() == "order");
  }
}

TEST_CASE("what is no command is rejected as soon as that is known", "[command_reader]") {
  const std::string multibulk = "reject: invalid multibulk length";
  for (const char* count : {"-2", "-0", "+1", "01", "", " 1", "1 ", "x", "1x", "129", "1000000",
                            "18446744073709551617", "9223372036854775808"}) {
    INFO(count);
    CHECK(read("*" + std::string(count) + "\r\n") == Words{multibulk});
  }
  CHECK(read("*1\rx") == Words{multibulk});
  CHECK(read("*" + std::string(31, '1')) == Words{"reject: too big mbulk count string"});
  CHECK(read("*" + std::string(30, '1')) == Words{"need more"});

  const std::string bulk_length = "reject: invalid bulk length";
  for (const char* size :
       {"-1", "-5", "+1", "00", "", "x", "16385", "536870912", "18446744073709551617"}) {
    INFO(size);
    CHECK(read("*1\r\n$" + std::string(size) + "\r\n") == Words{bulk_length});
  }
  CHECK(read("*1\r\n$" + std::string(31, '1')) == Words{"reject: too big bulk count string"});
  CHECK(read("*1\r\n:5\r\n") == Words{"reject: expected '$', got ':'"});
  CHECK(read("*1\r\n\r\n") == Words{"reject: expected '$', got '?'"});
  CHECK(read("*1\r\n*1\r\n") == Words{"reject: expected '$', got '*'"});
  CHECK(read("*1\r\n$2\r\nabc\r\n") ==
        Words{"reject: a bulk string is longer than its length says"});
}

TEST_CASE("a command is bounded", "[command_reader]") {
  std::string most = "*128\r\n";
  for (int i = 0; i < 128; ++i) most += bulk("x");
  CHECK(read(most).size() == 128);

  // The whole command counts, before its bytes have come.
  const std::string big(9000, 'x');
  CHECK(read("*2\r\n" + bulk(big)) == Words{"need more"});
  CHECK(read("*2\r\n" + bulk(big) + "$9000\r\n") == Words{"reject: too big command"});
  CHECK(read("*1\r\n$16384\r\n") == Words{"reject: too big command"});
  const std::size_t room = kCommandBytesMax - std::string("*1\r\n$16300\r\n\r\n").size();
  CHECK(read("*1\r\n" + bulk(std::string(room, 'x'))).front().size() == room);
  CHECK(read("*1\r\n$" + std::to_string(room + 1) + "\r\n") == Words{"reject: too big command"});

  CHECK(read(std::string(kInlineBytesMax - 1, 'x')) == Words{"need more"});
  CHECK(read(std::string(kInlineBytesMax, 'x')) == Words{"reject: too big inline request"});
  std::string words;
  for (int i = 0; i < 129; ++i) words += "x ";
  CHECK(read(words + "\n") == Words{"reject: too many words in a line"});
}

TEST_CASE("lines are split as Redis does", "[command_reader]") {
  CHECK(read("\n").empty());
  CHECK(read("  \r\n").empty());
  CHECK(read("PING\n") == Words{"PING"});
  CHECK(read(" INCR \t order \r\n") == Words{"INCR", "order"});
  CHECK(read("ECHO \"a b\" 'c d'\n") == Words{"ECHO", "a b", "c d"});
  CHECK(read("ECHO \"\" ''\n") == Words{"ECHO", "", ""});
  CHECK(read(R"(ECHO "\x41\n\r\t\b\a\"\\\q\xzz")"
             "\n") == Words{"ECHO", "A\n\r\t\b\a\"\\qxzz"});
  CHECK(read(R"(ECHO 'it\'s \n')"
             "\n") == Words{"ECHO", R"(it's \n)"});
  CHECK(read("ECHO a\"b c\"\n") == Words{"ECHO", "ab c"});
  CHECK(read("$4\r\n") == Words{"$4"});
  for (const char* line :
       {"\"", "'", "ECHO \"a", "ECHO 'a", "ECHO \"a\"b", "ECHO 'a'b", "ECHO \"\\"}) {
    INFO(line);
    CHECK(read(line + std::string("\n")) == Words{"reject: unbalanced quotes in request"});
  }
}

TEST_CASE("a command that is reused keeps nothing", "[command_reader]") {
  Command command;
  CHECK(read_command("ECHO 'a b'\n", &command).kind == Kind::kCommand);
  CHECK(read_command("*1\r\n$4\r\nPING\r\n", &command).kind == Kind::kCommand);
  CHECK(command.arguments == std::vector<std::string_view>{"PING"});
}

}  // namespace featherid
