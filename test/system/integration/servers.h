// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_INTEGRATION_SERVERS_H_
#define FEATHERID_TEST_SYSTEM_INTEGRATION_SERVERS_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "featherid/tag_admin.h"
#include "test/support/catch.h"
#include "test/support/galera_cluster.h"
#include "test/support/mariadb_server.h"
#include "test/support/mysql_server.h"
#include "test/support/postgresql_server.h"
#include "test/support/stopwatch.h"

namespace featherid::test {

// The server of a kind, shared by all tests of the program. Every test leaves it running.
template <typename Server>
Server& shared() {
  static Server server;
  return server;
}
inline MariadbServer& mariadb() { return shared<MariadbServer>(); }
inline PostgresqlServer& postgresql() { return shared<PostgresqlServer>(); }
inline GaleraCluster& galera() { return shared<GaleraCluster>(); }  // every test leaves it complete

// The shortest allowed timeouts, so that tests of them are short. A call that must succeed does not
// have them: the machine may stand still for longer.
SociStoreOptions short_options();

// The longest allowed timeouts: a busy machine is no error.
SociStoreOptions patient_options();

// For calls in which a server must act before their time is up, with some time to spare.
SociStoreOptions spare_options();

// A store on a fresh schema of the database.
std::unique_ptr<Store> fresh_store(const std::string& url,
                                   const SociStoreOptions& options = patient_options());

// The status. Checks that it has one line and came within the call_timeout.
template <typename Call>
Status timed(Call call, std::chrono::seconds call_timeout = short_options().call_timeout) {
  const Stopwatch stopwatch;
  Status status = call();
  const Stopwatch::Duration took = stopwatch.elapsed();
  UNSCOPED_INFO(status << " after " << took.count() << " s");
  CHECK(took.count() < static_cast<double>(call_timeout.count()) + 0.4);
  CHECK(status.message().find('\n') == std::string::npos);
  return status;
}

inline Status lease_one(Store& store,
                        std::chrono::seconds call_timeout = short_options().call_timeout) {
  return timed([&] { return store.lease("order", 1).status(); }, call_timeout);
}

inline bool says(const Status& status, const std::string& words) {
  return status.message().find(words) != std::string::npos;
}

// Checks that no two have an id in common.
void check_disjoint(std::vector<IdRange> ranges);

// Checks that no id of `ranges` is there twice and that together they are 1 to max_id.
void check_no_id_twice(std::vector<IdRange> ranges, std::int64_t max_id);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_INTEGRATION_SERVERS_H_
