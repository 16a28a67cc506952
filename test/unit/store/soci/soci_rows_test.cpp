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

  const Result<SegmentRow> floored =
      RawRow{"order", "5", "10", "", "", "1000;50;20;1;7;1800000000123"}.read("ids");
  REQUIRE(floored.ok());
  CHECK(floored->floor.rate == 1000);
  CHECK(floored->floor.epoch_s == 50);
  CHECK(floored->floor.lead_max_s == 20);
  CHECK(floored->floor.lead_only_warns);
  CHECK(floored->floor.since_id == 7);
  CHECK(floored->read_at == WallTime(std::chrono::milliseconds(1800000000123)));
  CHECK(RawRow{"order", "5", "10", "", "", "1000;50;20;0;7"}.read("ids")->read_at == WallTime());

  const Result<SegmentRow> daily =
      RawRow{"order", "0", "10", "", "", "", "1;-60;1800000000123"}.read("ids");
  REQUIRE(daily.ok());
  CHECK(daily->period == PeriodRule{PeriodKind::kDay, -60});
  CHECK(daily->read_at == WallTime(std::chrono::milliseconds(1800000000123)));
  CHECK(RawRow{"order", "0", "10", "", "", "", "2;0"}.read("ids")->read_at == WallTime());

  struct Case {
    RawRow row;
    std::string says;
  };
  for (const Case& bad :
       {Case{{"order", "NULL", "10", ""}, "has max_id 'NULL' in ids"},
        Case{{"order", "1.5", "10", ""}, "has max_id '1.5' in ids"},
        Case{{"order", "9223372036854775808", "10", ""}, "has max_id"},
        Case{{"order", "0", "10 x", ""}, "has step '10 x' in ids"},
        Case{{"order", "0", "10", "x"}, "has cap 'x' in ids"},
        Case{{"order", "0", "10", "", "", "1000;x"}, "has floor_epoch 'x'"},
        Case{{"order", "0", "10", "", "", "-5;0;10;0;0"}, "the rate of the floor"},
        Case{{"order", "0", "10", "", "", "9000000000000000000;0;10;0;0"}, "the rate of the floor"},
        Case{{"order", "0", "10", "", "", "10;9000000000000000000;10;0;0"}, "the epoch"},
        Case{{"order", "0", "10", "", "", "10;0;-1;0;0"}, "lead_max"},
        Case{{"order", "0", "10", "", "", "", "1;x"}, "has period_offset 'x'"}}) {
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
