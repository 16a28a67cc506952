// SPDX-License-Identifier: MIT
#include "test/system/campaign/row_faults.h"

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include "featherid/period.h"
#include "lib/store/time_floor_rules.h"
#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;

std::string where(const std::string& tag) { return " WHERE biz_tag = '" + tag + "'"; }

// The row that ids of the tag come from: of a tag with periods, the newest one.
std::string newest_row(Engine& engine, const std::string& tag) {
  return engine.operator_sql()->text("SELECT MAX(biz_tag) FROM id_segments WHERE biz_tag = '" +
                                     tag + "' OR biz_tag LIKE '" + tag + "@%'");
}

// Above every lease of any tag so far, by more than the largest lease.
long long above_all_leases(Engine& engine) {
  std::int64_t highest = 0;
  for (const Move& move : engine.moves()) highest = std::max(highest, move.to);
  return highest + 10 * kLeaseIdsMax;
}

// Deletes the row if there is one, and creates it.
void make_again(Engine& engine, const std::string& tag, bool above) {
  engine.put_row({tag, above ? above_all_leases(engine) : 0, 1000});
}

// As docs/operating/periods.md says: rows of periods that the backup lacks must not begin at 1.
void note_lost_periods(Engine& engine) {
  const auto sql = engine.operator_sql();
  const std::string now_ms = std::to_string(system_time().time_since_epoch().count());
  if (!engine.is_file()) sql->run("UPDATE id_leader SET term = term + 4294967296 WHERE term > 0");
  sql->run("UPDATE id_tags SET period_failovers = period_failovers + 1, period_lost_at = " +
           now_ms + " WHERE period_kind > 0");
}

void advance(const Engine& engine, const std::string& tag, long long max_id) {
  test::ScratchDir scratch;
  test::ChildProcess::Options options;
  options.output_file = scratch.file("output");
  test::run({FEATHERID_SERVER_PROGRAM, "--database", engine.database(), "--failover",
             engine.failover(), "--advance", tag + "=" + std::to_string(max_id)},
            options);
}

// There are many rows of periods, and a program for each would take long.
void advance_all(Engine& engine, long long above) {
  const auto rows = engine.operator_store(engine.failover())->list();
  bool periods = false;
  for (const TagInfo& row : rows.value()) {
    if (parse_period_row(row.tag)) {
      engine.operator_sql()->run("UPDATE id_segments SET max_id = " + std::to_string(above) +
                                 where(row.tag));
    } else {
      advance(engine, row.tag, above);
    }
    periods = periods || row.period.is_set();
  }
  if (periods) note_lost_periods(engine);
}

// False if the process served its own tag for 15 s, or was asked for a minute. Meanwhile it may
// have had no way to the store: only a lease shows that the row went back.
bool own_tag_stops(Process& process) {
  constexpr milliseconds kPause(5);
  const auto begin = std::chrono::steady_clock::now();
  auto last = begin;
  std::chrono::steady_clock::duration served(0);
  while (served < std::chrono::seconds(15) && last - begin < std::chrono::seconds(60)) {
    const Process::OwnTag own = process.own_tag();
    if (own == Process::OwnTag::kStopped) return true;
    std::this_thread::sleep_for(kPause);
    const auto now = std::chrono::steady_clock::now();
    if (own == Process::OwnTag::kServed) served += now - last;
    last = now;
  }
  return false;
}

}  // namespace

void remove_table_of_options(Engine& engine) {
  engine.operator_sql()->run("ALTER TABLE id_tags RENAME TO id_tags_away");
}

void make_strict(Engine& engine, const std::string& tag) {
  TagChange change;
  change.order = TagOrder::kStrict;
  const Status changed = engine.operator_store(engine.failover())->update(tag, change);
  if (!changed.ok()) throw std::runtime_error(changed.to_string());
}

std::vector<Fault> option_faults(Engine& engine, Random& random, bool table_stays) {
  const std::string tag = shared_tag(random);
  const auto bring_table_back = [&engine] {
    const auto sql = engine.operator_sql();
    try {
      sql->number("SELECT count(*) FROM id_tags_away");
    } catch (const std::exception&) {
      return;  // it is there
    }
    sql->run("ALTER TABLE id_tags_away RENAME TO id_tags");
  };
  const auto set_cap = [=, &engine](std::int64_t cap) {
    TagChange change;
    change.cap = cap;
    change.description = "campaign";
    const Status changed = engine.operator_store(engine.failover())->update(tag, change);
    if (!changed.ok()) throw std::runtime_error(changed.to_string());
  };
  std::vector<Fault> faults = {
      {"no table id_tags",
       {"options"},
       milliseconds(500),
       milliseconds(5000),
       [=, &engine] {
         bring_table_back();
         remove_table_of_options(engine);
       },
       bring_table_back},
      {"cap set far away and removed",
       {"options"},
       milliseconds(500),
       milliseconds(5000),
       [=] {
         bring_table_back();
         set_cap(kIdMax / 2);
       },
       [=] {
         bring_table_back();  // it may have been impossible before
         set_cap(kIdMax);
       }},
  };
  if (table_stays) faults.erase(faults.begin());
  return faults;
}

std::vector<Fault> row_faults(Engine& engine, Random& random) {
  const std::string tag = shared_tag(random);
  const long long step = random.pick(1, kLeaseIdsMax);
  auto transaction = std::make_shared<std::unique_ptr<test::RawSql>>();
  return {
      {"row locked by a long transaction",
       {"database"},
       milliseconds(500),
       milliseconds(5000),
       [=, &engine] {
         *transaction = engine.operator_sql();
         (*transaction)->run(engine.begin());
         (*transaction)->run("UPDATE id_segments SET step = step" + where(newest_row(engine, tag)));
       },
       // The session's end undoes it, even if the transaction did not begin.
       [=] { transaction->reset(); }},
      {"step changed",
       {"database"},
       milliseconds(500),
       milliseconds(2000),
       [=, &engine] {
         engine.operator_sql()->run("UPDATE id_segments SET step = " + std::to_string(step) +
                                    where(tag));
       },
       [=, &engine] {
         engine.operator_sql()->run("UPDATE id_segments SET step = 1000" + where(tag));
       }},
      {"row moved forward",
       {"database"},
       milliseconds(0),
       milliseconds(0),
       [=, &engine] {
         const auto sql = engine.operator_sql();
         sql->run("UPDATE id_segments SET max_id = " + std::to_string(above_all_leases(engine)) +
                  where(newest_row(engine, tag)));
       },
       [] {}},
      {"tag deleted and made again",
       {"database"},
       milliseconds(100),
       milliseconds(3000),
       [=, &engine] { engine.operator_sql()->run("DELETE FROM id_segments" + where(tag)); },
       [=, &engine] { make_again(engine, tag, /*above=*/true); }},
  };
}

Fault table_dropped(Engine& engine, const LeaseLogSql& log, const std::string& copy) {
  auto dropped = std::make_shared<bool>(false);
  return {"table dropped and made again",
          {"database"},
          milliseconds(200),
          milliseconds(2500),
          [=, &engine] {
            const auto sql = engine.operator_sql();
            sql->run(copy);
            sql->run("INSERT INTO id_segments_saved SELECT * FROM id_segments");
            sql->run("DROP TABLE id_segments");
            *dropped = true;
          },
          [=, &engine, &log] {
            const auto sql = engine.operator_sql();
            if (!*dropped) return sql->run("DROP TABLE IF EXISTS id_segments_saved");
            // The triggers first, so that no lease bypasses them.
            sql->run("UPDATE id_segments_saved SET max_id = " +
                     std::to_string(above_all_leases(engine)));
            make_triggers(*sql, log, "id_segments_saved");
            sql->run("ALTER TABLE id_segments_saved RENAME TO id_segments");
            *dropped = false;
          }};
}

Fault own_tag_set_back(Engine& engine, Process& process, const std::function<void()>& went_on) {
  const std::string tag = tags_of(process.name()).back();
  auto went_back = std::make_shared<bool>(false);
  return {std::string("own tag of ") + process.kind() + " made again lower",
          // Without the table of options, a tier of servers leases nothing, so that nobody notices.
          {"database", "network", "options", process.name()},
          milliseconds(0),
          milliseconds(0),
          [=, &engine, &process] {
            // A process cannot know that ids are taken if it never held them.
            const auto served = [&] { return process.own_tag() == Process::OwnTag::kServed; };
            if (!test::wait_until(served, milliseconds(10000))) {
              throw std::runtime_error("the process has no ids of its own tag");
            }
            make_again(engine, tag, /*above=*/false);
            *went_back = true;
          },
          [=, &engine, &process] {
            if (std::exchange(*went_back, false) && !own_tag_stops(process)) went_on();
            // As in docs/operating/failover.md: past all ids ever handed out, then a new process.
            make_again(engine, tag, /*above=*/true);
            process.end(SIGKILL);
            process.start();
          }};
}

Fault backup_restored(Engine& engine, const std::vector<Process*>& processes, Random& random,
                      const std::function<void(Process&)>& stop,
                      std::optional<std::chrono::seconds> wait_instead) {
  const milliseconds age(random.pick(200, 2000));
  std::vector<std::string> touches = {"database", "network"};
  for (const Process* process : processes) touches.push_back(process->name());
  auto restore = std::make_shared<std::function<void()>>();
  auto stopped = std::make_shared<std::vector<Process*>>();
  return {"older backup restored",
          touches,
          milliseconds(0),
          milliseconds(500),
          [=, &engine] {
            *restore = engine.backup();
            std::this_thread::sleep_for(age);
            for (Process* process : processes) {
              stop(*process);
              stopped->push_back(process);
            }
          },
          [=, &engine] {
            if (*restore) {
              const long long above = above_all_leases(engine);
              (*restore)();
              if (wait_instead) {
                std::this_thread::sleep_for(*wait_instead);
              } else {
                advance_all(engine, above);
              }
              engine.allow_leases();
              *restore = nullptr;  // a second attempt must not undo later leases
            }
            for (; !stopped->empty(); stopped->pop_back()) stopped->back()->start();
          }};
}

Fault restored_under_processes(Engine& engine, const std::vector<Process*>& processes,
                               Random& random, const std::function<void(Process&)>& stop,
                               const std::function<void(std::int64_t, std::int64_t)>& excuse) {
  const milliseconds age(random.pick(200, 2000));
  std::vector<std::string> touches = {"database", "network"};
  for (const Process* process : processes) touches.push_back(process->name());
  struct State {
    std::int64_t begin_us = 0;  // 0: nothing was restored
    std::vector<Process*> stopped;
  };
  auto state = std::make_shared<State>();
  return {"backup restored under running processes",
          touches,
          milliseconds(1500),
          milliseconds(4000),
          [=, &engine] {
            const std::function<void()> restore = engine.backup();
            std::this_thread::sleep_for(age);
            state->begin_us = now_us();
            restore();
            for (std::size_t i = 0; i < processes.size(); i += 2) {
              stop(*processes[i]);
              processes[i]->start();
            }
          },
          [=, &engine] {
            if (state->begin_us != 0) {
              while (state->stopped.size() < processes.size()) {
                Process* const next = processes[state->stopped.size()];
                stop(*next);
                state->stopped.push_back(next);
              }
              excuse(state->begin_us, now_us());
              advance_all(engine, above_all_leases(engine));
              engine.allow_leases();
              state->begin_us = 0;
            }
            for (; !state->stopped.empty(); state->stopped.pop_back()) {
              state->stopped.back()->start();
            }
          }};
}

}  // namespace featherid::campaign
