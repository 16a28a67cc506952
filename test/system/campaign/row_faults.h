// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_ROW_FAULTS_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_ROW_FAULTS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "test/system/campaign/engine.h"
#include "test/system/campaign/lease_log.h"
#include "test/system/campaign/process.h"

namespace featherid::campaign {

// Changes that operators and other programs make to the rows of any engine.
std::vector<Fault> row_faults(Engine& engine, Random& random);

// The table is dropped and created again, with every row above all leases. `copy` creates an empty
// table id_segments_saved like id_segments.
Fault table_dropped(Engine& engine, const LeaseLogSql& log, const std::string& copy);

// The table of the options goes and comes, as between an old version and this one, and the options
// of a tag that all share change. `table_stays`: only the latter.
void remove_table_of_options(Engine& engine);
std::vector<Fault> option_faults(Engine& engine, Random& random, bool table_stays);

// Gives the tag strict order.
void make_strict(Engine& engine, const std::string& tag);

// The process's own tag is deleted and created again below the ids that the process has had. The
// process must stop that tag. If it does not, `went_on()` is called.
Fault own_tag_set_back(Engine& engine, Process& process, const std::function<void()>& went_on);

// A dump of all rows is restored after later leases, as in docs/operating/restore.md: every process
// stops before, and every tag is advanced after. `stop(process)` ends one.
// `wait_instead`: nobody advances a tag, because all have a time floor.
Fault backup_restored(Engine& engine, const std::vector<Process*>& processes, Random& random,
                      const std::function<void(Process&)>& stop,
                      std::optional<std::chrono::seconds> wait_instead = {});

// The same while every process runs. Each must stop by itself, and those that start before the
// operator has acted must get nothing. `excuse(begin_us, end_us)`: when they are right to stop.
Fault restored_under_processes(Engine& engine, const std::vector<Process*>& processes,
                               Random& random, const std::function<void(Process&)>& stop,
                               const std::function<void(std::int64_t, std::int64_t)>& excuse);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_ROW_FAULTS_H_
