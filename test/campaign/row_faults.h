// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_CAMPAIGN_ROW_FAULTS_H_
#define FEATHERID_TEST_CAMPAIGN_ROW_FAULTS_H_

#include <vector>

#include "test/campaign/engine.h"
#include "test/campaign/lease_log.h"
#include "test/campaign/process.h"

namespace featherid::campaign {

// What operators and other programs do to the rows of any engine.
std::vector<Fault> row_faults(Engine& engine, Random& random);

// The table is gone, and then made again, every row above all that was leased. `copy` makes an
// empty table id_segments_saved like id_segments.
Fault table_dropped(Engine& engine, const LeaseLogSql& log, const std::string& copy);

// The process's own tag is deleted, and made again below the ids that the process has had. It must
// stop that tag; `went_on()` is called where it does not.
Fault own_tag_set_back(Engine& engine, Process& process, const std::function<void()>& went_on);

// A dump of all rows is played back when later leases have been made, as docs/operating/restore.md
// says: every process is stopped before, and every tag advanced after. `stop(process)` ends one.
Fault backup_restored(Engine& engine, const std::vector<Process*>& processes, Random& random,
                      const std::function<void(Process&)>& stop);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_CAMPAIGN_ROW_FAULTS_H_
