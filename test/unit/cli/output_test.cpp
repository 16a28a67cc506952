// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "lib/base/utf8.h"
#include "test/support/catch.h"

namespace featherid {

namespace {

const std::int64_t kLargest = 9223372036854775807;

std::string listed(const std::vector<Record>& records, bool json, bool colours = false) {
  std::ostringstream out;
  Output(out, json, colours).list(records, "nothing");
  return out.str();
}

}  // namespace

TEST_CASE("a table is aligned, also with wide characters", "[cli][output]") {
  const std::vector<Record> records = {{{"tag", "order"}, {"max_id", std::int64_t{7}}},
                                       {{"tag", "订单"}, {"max_id", kLargest}}};
  CHECK(listed(records, false) ==
        "tag                 max_id\n"
        "order                    7\n"
        "订单   9223372036854775807\n");
  CHECK(listed({}, false) == "nothing\n");
  CHECK(listed(records, false, true).find("\x1b[1mtag") == 0);
}

TEST_CASE("what is not there stands where the numbers of its column do", "[cli][output]") {
  const std::vector<Record> records = {{{"tag", "a"}, {"cap", Value::none()}, {"owner", "ann"}},
                                       {{"tag", "b"}, {"cap", kLargest}, {"owner", Value::none()}}};
  CHECK(listed(records, false) ==
        "tag                  cap  owner\n"
        "a                      -  ann\n"
        "b    9223372036854775807  -\n");
}

TEST_CASE("JSON keeps every digit and has no colours", "[cli][output]") {
  const std::vector<Record> records = {{{"tag", "a\"\x1b"}, {"max_id", kLargest}, {"on", true}},
                                       {{"tag", "b"}, {"max_id", Value::none()}, {"on", false}}};
  const auto json = nlohmann::json::parse(listed(records, true, true));
  CHECK(json[0]["tag"] == "a\"\x1b");
  CHECK(json[0]["max_id"] == kLargest);
  CHECK(json[0]["on"] == true);
  CHECK(json[1]["max_id"].is_null());
  CHECK(listed({}, true) == "[]\n");
  std::ostringstream out;
  Output(out, true, true).show({{"ids", Value::list({Value(kLargest)})}, {"no", Value::list({})}});
  CHECK(out.str() == "{\"ids\":[9223372036854775807],\"no\":[]}\n");
}

TEST_CASE("what another program wrote into a row cannot command the terminal", "[cli][output]") {
  CHECK(printable("a\x1b[2Jb\n\x7f") == "a?[2Jb??");
  CHECK(printable("\xC2\x9B"
                  "2J") == "?2J");  // a control character of two bytes
  CHECK(printable("\xE2\x80\xAE"
                  "abc") == "?abc");  // turns the text around
  CHECK(printable("\xFF\xFE订") == "??订");
}

TEST_CASE("percentages", "[cli][output]") {
  CHECK(percent_text(0, 0x1p31) == "0.0 %");
  CHECK(percent_text(1, 2) == "50.0 %");
  CHECK(percent_text(1, 1e5) == "< 0.1 %");
  CHECK(percent_text(3, 2) == "150.0 %");
}

}  // namespace featherid
