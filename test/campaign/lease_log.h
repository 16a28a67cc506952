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
  std::vector<const char*> triggers;  // on the table that %s names; several statements
};
extern const LeaseLogSql kSqlite3LeaseLog;
extern const LeaseLogSql kMysqlLeaseLog;
extern const LeaseLogSql kPostgresqlLeaseLog;

void make_lease_log(test::RawSql& sql, const LeaseLogSql& dialect);
// A further table like id_segments, which is to take its place.
void make_triggers(test::RawSql& sql, const LeaseLogSql& dialect, const std::string& table);

std::vector<Move> read_lease_log(test::RawSql& sql);

// Above all that was ever leased of any tag, by more than the largest lease.
long long above_all_leases(test::RawSql& sql);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_CAMPAIGN_LEASE_LOG_H_
