// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_STORE_REPORT_H_
#define FEATHERID_SERVER_STORE_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "server/store/stores.h"

namespace featherid {

// How to ask the servers of one engine. Null: there is nothing to ask. The queries name the tables
// `id_segments` and `id_leader`, whatever the URL calls them.
struct ReportSql {
  // A privilege, what requires it, and a query that fails without it and changes nothing.
  struct Right {
    const char* privilege;
    const char* required_for;
    Finding::Level level;
    const char* query;
  };

  const char* version;
  const char* clock_ms;  // since 1970, UTC
  const char* tls;       // "local", "yes" or "no"
  const char* port;      // of the server that answers
  const char* leader;    // "NUMBER;SERVER": the number of leaders so far, and the last one
  const char* log_kept;  // "1" if a backup can be brought up to the last commit
  std::vector<Right> rights;
};

const ReportSql& mysql_report();
const ReportSql& postgresql_report();
const ReportSql& sqlite3_report();

// examine_store() for a database.
std::vector<Finding> examine_database(const StoreOptions& options, const ReportSql& sql);

// What is wrong with a server of this version, such as "MySQL 8.0.29"; empty: nothing is known.
std::string known_fault(const std::string& version);

// How long leases of the tag `health` take; each is given back. Nothing: there is no such tag.
std::optional<Finding> measure_leases(Store& store);

// What tags are near their end or badly set up.
std::vector<Finding> examine_tags(const std::vector<TagInfo>& rows);

}  // namespace featherid

#endif  // FEATHERID_SERVER_STORE_REPORT_H_
