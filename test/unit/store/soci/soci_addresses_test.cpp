// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_addresses.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

using std::chrono::seconds;

namespace {

Status opens(const SociStoreOptions& options) {
  return open_soci_store("sqlite3:never-opened.db", options).status();
}

}  // namespace

TEST_CASE("options out of bounds are refused by name, and those on the bounds are not",
          "[soci_addresses]") {
  struct Case {
    const char* name;
    std::int64_t min;
    std::int64_t max;
    void (*set)(SociStoreOptions& options, std::int64_t value);
  };
  const Case cases[] = {
      {"sessions_max", 1, 64,
       [](SociStoreOptions& o, std::int64_t v) { o.sessions_max = static_cast<int>(v); }},
      {"call_timeout", 2, 60,
       [](SociStoreOptions& o, std::int64_t v) { o.call_timeout = seconds(v); }},
      {"failover_guard_ids", 1, std::int64_t{1} << 40,
       [](SociStoreOptions& o, std::int64_t v) { o.failover_guard_ids = v; }},
  };
  for (const Case& c : cases) {
    SociStoreOptions options;
    for (const std::int64_t bad : {c.min - 1, c.max + 1}) {
      c.set(options, bad);
      const Status status = opens(options);
      CHECK(status.code() == StatusCode::kInvalidArgument);
      CHECK_THAT(status.message(), Contains(c.name) && Contains(std::to_string(bad)));
    }
    for (const std::int64_t good : {c.min, c.max}) {
      c.set(options, good);
      CHECK(opens(options).ok());
    }
  }
}

TEST_CASE("a malformed URL is refused without being quoted", "[soci_addresses]") {
  const Status status = open_soci_store("mysql://u:hunter2@host").status();
  CHECK(status.code() == StatusCode::kInvalidArgument);
  CHECK_THAT(status.message(), !Contains("hunter2"));
  CHECK(init_soci_schema("mysql://u:hunter2@host").code() == StatusCode::kInvalidArgument);
}

TEST_CASE("several addresses must be of one database", "[soci_addresses]") {
  const auto refused = [](const std::vector<std::string>& urls) {
    SociStoreOptions options;
    return parse_addresses(urls, &options).status().message();
  };
  const std::string a = "mysql://u:p@a:3306/ids";
  CHECK(refused({a, "mysql://u:p@b:3306/ids"}).empty());
  CHECK_THAT(refused({}), Contains("the number of database URLs is 0"));
  CHECK_THAT(refused(std::vector<std::string>(17, a)), Contains("17"));
  for (const char* other : {"mysql://u:p@b:3306/other", "postgresql://u:p@b:3306/ids",
                            "mysql://u:p@b:3306/ids?table=numbers"}) {
    CAPTURE(other);
    CHECK_THAT(refused({a, other}), Contains("must be addresses of one database"));
  }
  CHECK_THAT(refused({"sqlite3:a.db", "sqlite3:a.db"}), Contains("one address only"));
}

TEST_CASE("files are found again after a change of the working directory", "[soci_addresses]") {
  SociStoreOptions options;
  options.database_file = "database.url";
  const Result<std::vector<DatabaseUrl>> addresses = parse_addresses({"sqlite3:ids.db"}, &options);
  REQUIRE(addresses.ok());
  const std::filesystem::path here = std::filesystem::current_path();
  CHECK(addresses->front().database == (here / "ids.db").string());
  CHECK(options.database_file == (here / "database.url").string());
}

}  // namespace featherid
