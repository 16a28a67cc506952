// SPDX-License-Identifier: MIT
#include "test/system/integration/servers.h"

#include <algorithm>

#include "test/support/raw_sql.h"

namespace featherid::test {

namespace {

SociStoreOptions with_timeout(std::chrono::seconds call_timeout) {
  SociStoreOptions options;
  options.call_timeout = call_timeout;
  return options;
}

}  // namespace

SociStoreOptions short_options() { return with_timeout(std::chrono::seconds(2)); }

SociStoreOptions patient_options() { return with_timeout(std::chrono::seconds(60)); }

SociStoreOptions spare_options() { return with_timeout(std::chrono::seconds(6)); }

std::unique_ptr<Store> fresh_store(const std::string& url, const SociStoreOptions& options) {
  RawSql(url).run("DROP TABLE IF EXISTS id_segments, id_tags");
  const Status status = init_soci_schema(url, patient_options());
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
