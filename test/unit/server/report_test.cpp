// SPDX-License-Identifier: MIT
#include "server/store/report.h"

#include <cstdint>
#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

// "warning tag 'a' is at …", or empty.
std::string found(std::int64_t max_id, std::int64_t step) {
  TagInfo row;
  row.tag = "a";
  row.max_id = max_id;
  row.step = step;
  const std::vector<Finding> findings = examine_tags({row});
  if (findings.empty()) return "";
  CHECK(findings.size() == 1);
  return (findings[0].level == Finding::Level::kProblem ? "problem " : "warning ") +
         findings[0].text;
}

}  // namespace

TEST_CASE("a tag is reported near each end that a client may have", "[report]") {
  const std::int64_t int32 = 2147483648;
  const std::int64_t exact = std::int64_t{1} << 53;
  CHECK(found(0, 1000).empty());
  CHECK(found(int32 / 4 * 3 - 1, 1000).empty());
  CHECK(
      found(int32 / 4 * 3, 1000).find("warning tag 'a' is at 1610612736, near the end of int32") ==
      0);
  CHECK(found(int32, 1000).empty());  // past it: its clients have 64 bits
  CHECK(found(exact / 4 * 3, 1000).find("near 2^53") != std::string::npos);
  CHECK(found(exact, 1000).empty());
  CHECK(found(kIdMax / 4 * 3 + 3, 1000).find("problem tag 'a'") == 0);
  CHECK(found(kIdMax, 1000).find("has reached the end") != std::string::npos);
  CHECK(found(-1, 1000).find("problem tag 'a' is at -1") == 0);
}

TEST_CASE("a tag is reported near its cap and at it", "[report]") {
  const auto capped = [](std::int64_t max_id, std::int64_t cap) {
    TagInfo row;
    row.tag = "a";
    row.max_id = max_id;
    row.step = 1000;
    row.cap = cap;
    const std::vector<Finding> findings = examine_tags({row});
    return findings.empty() ? "" : findings[0].text;
  };
  CHECK(capped(74, 100).empty());
  CHECK(capped(75, 100).find("tag 'a' is at 75, near its cap 100") == 0);
  CHECK(capped(100, 100).find("tag 'a' has reached its cap 100") == 0);
}

TEST_CASE("a step that is too small is reported", "[report]") {
  CHECK(found(0, 100).empty());
  CHECK(found(0, 99).find("warning tag 'a' has step 99") == 0);
  CHECK(found(0, 0).find("problem tag 'a' has step 0") == 0);
}

TEST_CASE("versions with known faults", "[report]") {
  for (const char* bad :
       {"MySQL 8.0.29", "MySQL 8.0.38-log", "MySQL 8.4.1", "MySQL 9.0.0", "PostgreSQL 9.3.25",
        "PostgreSQL 9.6.11", "PostgreSQL 10.6", "PostgreSQL 11.1 (Debian)", "PostgreSQL 14.3",
        "etcd 3.3.25", "etcd 3.4.20", "etcd 3.5.0", "etcd 3.5.2", "etcd 3.5.4"}) {
    CAPTURE(bad);
    CHECK_FALSE(known_fault(bad).empty());
  }
  for (const char* good :
       {"MySQL 8.0.28", "MySQL 8.0.30", "MySQL 9.7.0", "PostgreSQL 9.6.12", "PostgreSQL 14.4",
        "PostgreSQL 15.18", "PostgreSQL 19beta1", "MariaDB 10.11.19-MariaDB", "SQLite 3.40.1", "",
        "PostgreSQL", "etcd 3.4.21", "etcd 3.4.23", "etcd 3.5.5", "etcd 3.6.0"}) {
    CAPTURE(good);
    CHECK(known_fault(good).empty());
  }
}

}  // namespace featherid
