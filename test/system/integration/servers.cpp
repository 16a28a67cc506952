// SPDX-License-Identifier: MIT
#include "test/system/integration/servers.h"

#include <algorithm>

#include "test/support/raw_sql.h"

namespace featherid::test {

SociStoreOptions short_options() {
  SociStoreOptions options;
  options.call_timeout = std::chrono::seconds(2);
  return options;
}

std::unique_ptr<Store> fresh_store(const std::string& url, const SociStoreOptions& options) {
  RawSql(url).run("DROP TABLE IF EXISTS id_segments, id_tags");
  SociStoreOptions patient;
  patient.call_timeout = std::chrono::seconds(60);  // the machine may be busy
  const Status status = init_soci_schema(url, patient);
  INFO(status);
  REQUIRE(status.ok());
  return *open_soci_store(url, options);
}

void check_disjoint(std::vector<IdRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](IdRange a, IdRange b) { return a.first < b.first; });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i - 1].end > ranges[i].first) FAIL_CHECK(ranges[i - 1] << " and " << ranges[i]);
  }
}

void check_no_id_twice(std::vector<IdRange> ranges, std::int64_t max_id) {
  std::sort(ranges.begin(), ranges.end(), [](IdRange a, IdRange b) { return a.first < b.first; });
  std::int64_t next = 1;
  for (const IdRange range : ranges) {
    if (range.first != next)
      FAIL_CHECK("from " << next << " on there is a hole or a duplicate: " << range);
    next = range.end;
  }
  CHECK(next == max_id + 1);
}

}  // namespace featherid::test
