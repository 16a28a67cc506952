// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_rows.h"

#include <string>

#include "test/support/catch.h"

// test/system/conformance tests what SociStore does with its statements.
namespace featherid {

TEST_CASE("a row is read from texts, and what is no number is named", "[soci_rows]") {
  const Result<SegmentRow> row =
      RawRow{"order", "9223372036854775806", "-1", "70", "1"}.read("ids");
  REQUIRE(row.ok());
  CHECK(row->tag == "order");
  CHECK(row->max_id == kIdMax);
  CHECK(row->step == -1);
  CHECK(row->cap == 70);
  CHECK(RawRow{"order", "0", "10", "", ""}.read("ids")->cap == kIdMax);
  CHECK(row->order == TagOrder::kStrict);
  CHECK(RawRow{"order", "0", "10", "", ""}.read("ids")->order == TagOrder::kPlain);
  CHECK(RawRow{"order", "0", "10", "", "0"}.read("ids")->order == TagOrder::kPlain);

  struct Case {
    RawRow row;
    std::string says;
  };
  for (const Case& bad : {Case{{"order", "NULL", "10", ""}, "has max_id 'NULL' in ids"},
                          Case{{"order", "1.5", "10", ""}, "has max_id '1.5' in ids"},
                          Case{{"order", "9223372036854775808", "10", ""}, "has max_id"},
                          Case{{"order", "0", "10 x", ""}, "has step '10 x' in ids"},
                          Case{{"order", "0", "10", "x"}, "has cap 'x' in ids"}}) {
    const Status status = bad.row.read("ids").status();
    CAPTURE(bad.says, status);
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK_THAT(status.message(), Contains(bad.says));
  }
}

TEST_CASE("a row read from hostile texts is one line without control characters", "[soci_rows]") {
  const Status status = RawRow{"a\nb", std::string(1000, '\t'), "10", "", ""}.read("ids").status();
  CHECK(status.message().size() < 300);
  CHECK(status.message().find_first_of("\n\t") == std::string::npos);
}

}  // namespace featherid
