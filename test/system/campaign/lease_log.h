// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_LEASE_LOG_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_LEASE_LOG_H_

#include <string>
#include <vector>

#include "test/system/campaign/engine.h"

namespace featherid::campaign {

// A trigger on id_segments writes every change of max_id into the table `lease_log`, in the
// transaction of the change. So the table holds exactly the committed changes.
struct LeaseLogSql {
  const char* table;                  // makes it
  std::vector<const char*> triggers;  // create them again on the table that %s names
};
// Not on MariaDB and MySQL: any trigger there removes the value of LAST_INSERT_ID(…) from the
// answer to the lease. Their binary log holds the same (binary_log.h).
extern const LeaseLogSql kNoLeaseLog;
extern const LeaseLogSql kSqlite3LeaseLog;
extern const LeaseLogSql kPostgresqlLeaseLog;

void make_lease_log(test::RawSql& sql, const LeaseLogSql& dialect);
// On id_segments, or on a table that will replace it.
void make_triggers(test::RawSql& sql, const LeaseLogSql& dialect, const std::string& table);

std::vector<Move> read_lease_log(test::RawSql& sql);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_LEASE_LOG_H_
