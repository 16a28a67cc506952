// SPDX-License-Identifier: MIT
#include "server/resp/reply_writer.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

std::string written(RespVersion version, const std::function<void(ReplyWriter&)>& write) {
  std::string out;
  ReplyWriter writer(version, &out);
  write(writer);
  return out;
}

// In both versions.
void check(const std::string& v2, const std::string& v3,
           const std::function<void(ReplyWriter&)>& write) {
  CHECK(written(RespVersion::k2, write) == v2);
  CHECK(written(RespVersion::k3, write) == v3);
}

}  // namespace

TEST_CASE("values that both versions have", "[reply_writer]") {
  const auto same = [](const std::string& text, const auto& write) { check(text, text, write); };
  same("+OK\r\n", [](ReplyWriter& w) { w.simple("OK"); });
  same(":0\r\n", [](ReplyWriter& w) { w.integer(0); });
  same(":-12\r\n", [](ReplyWriter& w) { w.integer(-12); });
  same(":-9223372036854775808\r\n",
       [](ReplyWriter& w) { w.integer(std::numeric_limits<std::int64_t>::min()); });
  same("$0\r\n\r\n", [](ReplyWriter& w) { w.bulk(""); });
  same("$4\r\na\r\nb\r\n", [](ReplyWriter& w) { w.bulk("a\r\nb"); });
  same("*0\r\n", [](ReplyWriter& w) { w.array(0); });
  same("*12\r\n", [](ReplyWriter& w) { w.array(12); });
}

TEST_CASE("values of version 3", "[reply_writer]") {
  check("$-1\r\n", "_\r\n", [](ReplyWriter& w) { w.null(); });
  check("*-1\r\n", "_\r\n", [](ReplyWriter& w) { w.null_array(); });
  check("*4\r\n", "%2\r\n", [](ReplyWriter& w) { w.map(2); });
  check("*2\r\n", "~2\r\n", [](ReplyWriter& w) { w.set(2); });
  check("$3\r\na:b\r\n", "=7\r\ntxt:a:b\r\n", [](ReplyWriter& w) { w.text("a:b"); });
}

TEST_CASE("an error is one line, whatever is in it", "[reply_writer]") {
  const auto write = [](ReplyWriter& w) { w.error("ERR", "a\r\n+OK\r\n"); };
  check("-ERR a  +OK  \r\n", "-ERR a  +OK  \r\n", write);
}

}  // namespace featherid
