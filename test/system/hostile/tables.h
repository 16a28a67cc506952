// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_HOSTILE_TABLES_H_
#define FEATHERID_TEST_SYSTEM_HOSTILE_TABLES_H_

#include <memory>
#include <string>
#include <vector>

#include "test/system/integration/servers.h"

// How every engine must treat tables that FeatherID did not create.
namespace featherid::test {

// A store that keeps its warnings.
struct Watched {
  explicit Watched(const std::string& url, Failover failover = Failover::kSkip) {
    SociStoreOptions options = patient_options();
    options.failover = failover;
    options.log = [this](LogLevel, std::string_view line) { warnings.append(line) += "\n"; };
    store = *open_soci_store(url, options);
  }

  std::string warnings;
  std::unique_ptr<Store> store;
};

// Every operation on `tag`, whose row exists with max_id 0, and on `created`, whose row does not.
void check_all_operations(Store& store, const std::string& tag, const std::string& created);

// A tag that the rows cannot hold does not exist, and the error says so at once.
void check_no_such_tag(Store& store, const std::string& tag);

// The database returns the row of `present` for `absent`. FeatherID reports that and moves nothing.
void check_not_taken_for(Store& store, const std::string& absent, const std::string& present);

// The error names the refused row `bad` with its column and value, and the others serve.
struct BadRow {
  std::string tag;
  std::string column;
  std::string value;
};
void check_bad_rows(const std::string& url, const std::vector<BadRow>& bad_rows);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_HOSTILE_TABLES_H_
