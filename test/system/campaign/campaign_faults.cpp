// SPDX-License-Identifier: MIT
// Which faults a campaign has.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "test/support/frozen.h"
#include "test/support/wait_until.h"
#include "test/system/campaign/campaign.h"
#include "test/system/campaign/row_faults.h"

namespace featherid::campaign {

using std::chrono::milliseconds;

std::vector<Fault> Campaign::all_faults() {
  std::vector<Fault> faults = engine_->faults(random_);
  const auto add = [&faults](std::vector<Fault> more) {
    std::move(more.begin(), more.end(), std::back_inserter(faults));
  };
  for (Fault& crash : engine_->crashes(random_)) {
    faults.push_back(with_fresh_processes(std::move(crash)));
  }
  if (options_.floor) {  // a lossy failover ends once the lead has passed
    for (Fault& fault : faults) {
      fault.lasts_min = std::max<milliseconds>(fault.lasts_min, kLeadMaxSeconds);
      fault.lasts_max = std::max<milliseconds>(fault.lasts_max, kLeadMaxSeconds);
    }
  } else if (engine_->keeps_commits() && engine_->has_sql()) {
    add(row_faults(*engine_, random_));
    add(option_faults(*engine_, random_, options_.strict || options_.periods));
  }
  // One server and one embedding process.
  std::vector<Process*> servers;
  std::vector<Process*> embedded;
  std::vector<Process*> all;
  for (const auto& process : processes_) {
    (process->is_server() ? servers : embedded).push_back(process.get());
    all.push_back(process.get());
  }
  for (const std::vector<Process*>& kind : {servers, embedded}) {
    if (kind.empty()) continue;
    add(process_faults(*kind[random_.index(kind.size())]));
  }
  if (engine_->keeps_commits()) {
    const auto wait = options_.floor ? std::optional(kLeadMaxSeconds) : std::nullopt;
    add({backup_restored(
        *engine_, all, random_, [this](Process& process) { end_process(process, SIGTERM); },
        wait)});
  }
  if (engine_->refuses_after_restore() && !options_.floor) {
    add({restored_under_processes(
        *engine_, all, random_, [this](Process& process) { end_process(process, SIGTERM); },
        [this](std::int64_t begin_us, std::int64_t end_us) {
          excused_us_.emplace_back(begin_us, end_us);
        })});
  }
  faults.erase(std::remove_if(faults.begin(), faults.end(),
                              [this](const Fault& fault) {
                                return fault.name.find(options_.only) == std::string::npos;
                              }),
               faults.end());
  if (faults.empty()) throw std::runtime_error("no fault has that name");
  return faults;
}

std::vector<Fault> Campaign::process_faults(Process& process) {
  const std::string of = std::string(" of ") + process.kind();
  const auto limit_files = [&process](rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    ::prlimit(process.pid(), RLIMIT_FSIZE, &limit, nullptr);
  };
  // Inside the database, so that a commit may fail half-way.
  const auto bytes_max = static_cast<rlim_t>(4096 * random_.pick(0, 20));
  auto frozen = std::make_shared<std::unique_ptr<test::Frozen>>();
  std::vector<Fault> faults = {
      {"kill -9" + of,
       {process.name()},
       milliseconds(0),
       milliseconds(2000),
       [this, &process] { end_process(process, SIGKILL); },
       [&process] { process.start(); }},
      {"restart" + of,
       {process.name()},
       milliseconds(0),
       milliseconds(500),
       [this, &process] { end_process(process, SIGTERM); },
       [&process] { process.start(); }},
      {"SIGSTOP" + of,
       {process.name()},
       milliseconds(3000),
       milliseconds(6000),
       [=, &process] { *frozen = std::make_unique<test::Frozen>(process.pid()); },
       [=] { frozen->reset(); }},
  };
  if (engine_->keeps_commits() && !options_.floor) {
    faults.push_back(own_tag_set_back(*engine_, process, [this, &process] {
      violation(process.name() + " goes on with a tag that went backwards");
    }));
  }
  if (engine_->is_file() && process.is_server()) {  // the others must write their notes
    faults.push_back({"files limited in size" + of,
                      {process.name()},
                      milliseconds(500),
                      milliseconds(3000),
                      [=] { limit_files(bytes_max); },
                      [=] { limit_files(RLIM_INFINITY); }});
  }
  return faults;
}

Fault Campaign::with_fresh_processes(Fault crash) {
  std::vector<Process*> fresh;
  for (const auto& process : processes_) {
    crash.touches.push_back(process->name());
    if (random_.percent(50)) fresh.push_back(process.get());
  }
  auto ended = std::make_shared<std::vector<Process*>>();
  const auto apply = [this, fresh, ended, crash_all = crash.apply] {
    crash_all();
    for (Process* process : fresh) {
      end_process(*process, SIGKILL);
      ended->push_back(process);
    }
  };
  const auto heal = [this, ended, heal_all = crash.heal] {
    heal_all();
    const std::int64_t healed_us = now_us();
    for (; !ended->empty(); ended->pop_back()) ended->back()->start();
    test::wait_until([&] { return all_serve(healed_us); }, kSettleMax);
  };
  crash.apply = apply;
  crash.heal = heal;
  return crash;
}

}  // namespace featherid::campaign
