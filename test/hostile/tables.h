// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_HOSTILE_TABLES_H_
#define FEATHERID_TEST_HOSTILE_TABLES_H_

#include <memory>
#include <string>
#include <vector>

#include "test/integration/servers.h"

// What every engine must make of tables that FeatherID did not make.
namespace featherid::test {

// A store that keeps what it warns of.
struct Watched {
  explicit Watched(const std::string& url, Failover failover = Failover::kSkip) {
    SociStoreOptions options = short_options();
    options.failover = failover;
    options.warn = [this](const std::string& text) { warnings += text + "\n"; };
    store = *open_soci_store(url, options);
  }

  std::string warnings;
  std::unique_ptr<Store> store;
};

// Every operation on `tag`, whose row is there with max_id 0, and on `created`, whose is not.
void check_all_operations(Store& store, const std::string& tag, const std::string& created);

// A tag that the rows cannot hold is not there, and that is said at once.
void check_no_such_tag(Store& store, const std::string& tag);

// The row of `present` is taken for `absent`'s by the database; FeatherID says so, and moves
// nothing.
void check_not_taken_for(Store& store, const std::string& absent, const std::string& present);

// The refused row `bad` is named with its column and value, and the others serve.
struct BadRow {
  std::string tag;
  std::string column;
  std::string value;
};
void check_bad_rows(const std::string& url, const std::vector<BadRow>& bad_rows);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_HOSTILE_TABLES_H_
