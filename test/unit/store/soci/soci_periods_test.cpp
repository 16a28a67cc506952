// SPDX-License-Identifier: MIT
#include <chrono>
#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "lib/store/period_rules.h"
#include "test/support/catch.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"

// test/system/conformance tests what every store does with periods.
namespace featherid {

TEST_CASE("who may not delete the rows of old periods still leases, and is told so",
          "[soci_periods]") {
  const test::ScratchDir scratch;
  const std::string url = "sqlite3:" + scratch.file("ids.db");
  REQUIRE(init_soci_schema(url).ok());
  std::vector<std::string> warnings;
  SociStoreOptions options;
  // Others may come: about a file in memory, if the scratch folder is one.
  options.log = [&](LogLevel, std::string_view line) {
    if (line.find("invoice") != std::string_view::npos) warnings.emplace_back(line);
  };
  const auto store = *open_soci_store(url, options);
  NewTag tag(10);
  tag.options.period.kind = PeriodKind::kDay;
  REQUIRE(store->create("invoice", tag).ok());
  test::RawSql sql(url);
  for (int day = 1; day <= 9; ++day) {
    sql.run("INSERT INTO id_segments (biz_tag, max_id, step) VALUES ('invoice@2020-01-0" +
            std::to_string(day) + "', 5, 10)");
  }
  sql.run(
      "CREATE TRIGGER no_delete BEFORE DELETE ON id_segments BEGIN "
      "SELECT RAISE(ABORT, 'no right to delete'); END");
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const Period today = period_at(tag.options.period, now);
  CHECK(store->lease_in_period("invoice", today, 10)->first == 1);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), Contains("grant DELETE on id_segments"));
  CHECK(sql.text("SELECT count(*) FROM id_segments WHERE biz_tag LIKE 'invoice@%'") == "10");
}

}  // namespace featherid
