// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_CAMPAIGN_LEASE_LOG_H_
#define FEATHERID_TEST_CAMPAIGN_LEASE_LOG_H_

#include <string>
#include <vector>

#include "test/campaign/engine.h"

namespace featherid::campaign {

// The table `lease_log`, into which a trigger on id_segments writes every change of max_id, in the
// transaction of the change: what it holds was committed, and nothing else was.
struct LeaseLogSql {
  const char* table;                  // makes it
  std::vector<const char*> triggers;  // makes them anew on the table that %s names
};
// Not on MariaDB and MySQL: whatever a trigger does there takes the value of LAST_INSERT_ID(…) out
// of the answer to the lease. Their binary log tells the same (binary_log.h).
extern const LeaseLogSql kNoLeaseLog;
extern const LeaseLogSql kSqlite3LeaseLog;
extern const LeaseLogSql kPostgresqlLeaseLog;

void make_lease_log(test::RawSql& sql, const LeaseLogSql& dialect);
// On id_segments, or on a table that is to take its place.
void make_triggers(test::RawSql& sql, const LeaseLogSql& dialect, const std::string& table);

std::vector<Move> read_lease_log(test::RawSql& sql);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_CAMPAIGN_LEASE_LOG_H_
