// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_addresses.h"

#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "lib/base/bounds.h"
#include "lib/base/secret_file.h"
#include "lib/store/soci/soci_session.h"

namespace featherid {

namespace {

constexpr std::int64_t kGuardIdsMax = std::int64_t{1} << 40;
constexpr std::int64_t kAddressesMax = 16;

Status check_options(const SociStoreOptions& options) {
  if (Status s = check_bounds("sessions_max", options.sessions_max, 1, 64); !s.ok()) return s;
  if (Status s = check_bounds("call_timeout", options.call_timeout.count(), 2, 60, "s"); !s.ok()) {
    return s;
  }
  return check_bounds("failover_guard_ids", options.failover_guard_ids, 1, kGuardIdsMax);
}

// Later sessions must find the same file, even if the working directory changes.
void make_absolute(std::string& file) {
  std::error_code error;
  const std::string path = std::filesystem::absolute(file, error).string();
  if (!file.empty() && !error) file = path;
}

Status check_password_file(DatabaseUrl& url) {
  std::string& file = url.options.password_file;
  if (file.empty()) return {};
  make_absolute(file);
  const Result<std::string> password = read_secret_file(file);
  if (password.ok()) return {};
  return {StatusCode::kInvalidArgument,
          "the database URL has an option password-file: " + password.status().message()};
}

}  // namespace

Result<std::vector<DatabaseUrl>> parse_addresses(const std::vector<std::string>& urls,
                                                 SociStoreOptions* options) {
  if (Status bad = check_bounds("the number of database URLs",
                                static_cast<std::int64_t>(urls.size()), 1, kAddressesMax);
      !bad.ok()) {
    return bad;
  }
  if (Status bad = check_options(*options); !bad.ok()) return bad;
  std::vector<DatabaseUrl> addresses;
  for (const std::string& url : urls) {
    Result<DatabaseUrl> parsed = parse_database_url(url);
    if (!parsed.ok()) return parsed.status();
    if (!has_driver(parsed->engine)) {
      return Status(StatusCode::kInvalidArgument,
                    "this build lacks SOCI's driver for the " + describe(*parsed));
    }
    if (Status bad = check_password_file(*parsed); !bad.ok()) return bad;
    if (!options->database_file.empty()) parsed->login_may_change = true;
    addresses.push_back(*std::move(parsed));
  }
  DatabaseUrl& first = addresses.front();
  for (const DatabaseUrl& address : addresses) {
    if (address.engine != first.engine || address.database != first.database ||
        address.options.schema != first.options.schema ||
        address.options.table != first.options.table) {
      return Status(StatusCode::kInvalidArgument,
                    "several database URLs must be addresses of one database: of one engine and "
                    "with one database name, schema and table");
    }
    if (address.options.connect_timeout.value_or(options->call_timeout) > options->call_timeout) {
      return Status(StatusCode::kInvalidArgument,
                    "the database URL has a connect_timeout of more than call-timeout (" +
                        std::to_string(options->call_timeout.count()) + " s); lower it");
    }
  }
  if (first.engine == Engine::kSqlite3) {
    if (addresses.size() > 1) {
      return Status(StatusCode::kInvalidArgument, "a SQLite file has one address only");
    }
    // Later sessions must find the same file, even if the working directory changes.
    std::error_code error;
    first.database = std::filesystem::absolute(first.database, error).string();
    if (error) {
      return Status(StatusCode::kInvalidArgument,
                    "a SQLite file has a relative path, and there is no working directory (" +
                        error.message() + "); give its absolute path");
    }
  }
  make_absolute(options->database_file);
  return addresses;
}

}  // namespace featherid
