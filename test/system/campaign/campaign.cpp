// SPDX-License-Identifier: MIT
#include "test/system/campaign/campaign.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <utility>

#include "featherid/status.h"
#include "lib/store/time_floor_rules.h"
#include "test/support/midnight.h"
#include "test/support/wait_until.h"
#include "test/system/campaign/embedded.h"
#include "test/system/campaign/row_faults.h"
#include "test/system/campaign/server.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kHealMax{240};  // until a fault is healed, with failed attempts
constexpr milliseconds kHealAgainAfter(500);
constexpr std::chrono::seconds kStartMax{15};      // until all processes run
constexpr std::chrono::seconds kAfterMidnight{5};  // faults go on until then
constexpr int kAllFaultsSeconds = 300;             // a campaign of this length meets every fault
constexpr int kDaysMaxSeconds = 80;                // until days have ended

std::chrono::seconds time_limit(const Options& options) {
  return std::chrono::seconds(options.seconds + options.overtime_seconds +
                              (options.periods ? kDaysMaxSeconds : 0));
}

std::string last_lines(const std::string& text) {
  constexpr std::size_t kBytes = 1500;
  return text.size() <= kBytes ? text : "… " + text.substr(text.size() - kBytes);
}

}  // namespace

Campaign::Campaign(const Options& options)
    : options_(options), random_(options.seed), engine_(make_engine(options.engine)) {
  limit_.emplace(time_limit(options));
  for (int i = 0; i < options.servers; ++i) {
    std::vector<std::string> programs = {""};
    if (!options.old_server.empty()) programs.insert(programs.begin(), options.old_server);
    processes_.push_back(std::make_unique<Server>(
        scratch_, "server-" + std::to_string(i), std::move(programs), *engine_, failover(),
        static_cast<std::uint64_t>(random_.pick(0, 1000000)), options.redis));
  }
  for (int i = 0; i < options.embedded; ++i) {
    processes_.push_back(std::make_unique<Embedded>(
        scratch_, "embedded-" + std::to_string(i),
        Embedded::Options{options.embedding_program, engine_->urls(), failover(),
                          engine_->keeps_commits(),
                          static_cast<std::uint64_t>(random_.pick(0, 1000000)), options.periods,
                          clock_ahead_minutes(i)}));
  }
  create_tags();
  if (options.periods) set_periods();
  if (!options.floor) return;
  set_floors();
  engine_->drop_guard();
}

// The processes that embed FeatherID have clocks minutes apart. (With SQLite a process's clock
// decides, so all have the same.)
int Campaign::clock_ahead_minutes(int embedded) const {
  return options_.periods && !engine_->is_file() ? (embedded % 3 - 1) * 10 : 0;
}

// Each tag's day ends with a minute of the campaign, which lasts until the last of them is over.
// One has so many rows of days before that old ones are removed.
void Campaign::set_periods() {
  const auto sql = engine_->operator_sql();
  const auto store = engine_->operator_store("synchronous");
  const WallTime first = system_time() + kStartMax;
  WallTime minute = first;
  for (const std::string& tag : tags_of("")) {
    if (!is_periodic(tag)) continue;
    NewTag made(tag == "tiny-steps" ? 10 : 1000);
    made.options.period = test::days_that_end_with_minute(minute);
    const PeriodRule& rule = periods_[tag] = made.options.period;
    sql->run("DELETE FROM id_segments WHERE biz_tag = '" + tag + "'");
    if (const Status s = store->create(tag, made); !s.ok()) throw std::runtime_error(s.to_string());
    last_midnight_ = std::max(last_midnight_, end_of(rule, period_at(rule, minute)));
    if (options_.seconds >= 60 * static_cast<int>(periods_.size())) {
      minute += std::chrono::minutes(1);
    }
  }
  constexpr int kOldRows = 8;
  for (int ago = 1; ago <= kOldRows; ++ago) {
    const Period old = period_at(periods_.at("order"), first - std::chrono::hours(24 * ago));
    test::insert_row(*sql, {period_row("order", old), 1000, 1000});
  }
}

// What all processes together burn is far less than the rate.
void Campaign::set_floors() {
  const auto store = engine_->operator_store("synchronous");
  TagChange change;
  change.floor.rate = kFloorRateMax;
  change.floor.lead_max_s = kLeadMaxSeconds.count();
  for (const TagInfo& row : store->list().value()) {
    const Status set = store->update(row.tag, change);
    if (!set.ok()) throw std::runtime_error(set.to_string());
  }
}

void Campaign::create_tags() {
  if (!options_.old_server.empty()) remove_table_of_options(*engine_);  // as of the old version
  engine_->put_row({"tiny-steps", 0, 10});
  engine_->put_row({kStrictTag, 0, 1000});
  for (const auto& process : processes_) {
    engine_->put_row({tags_of(process->name()).back(), 0, 1000});
  }
  if (options_.strict) make_strict(*engine_, kStrictTag);
}

Figures Campaign::run() {
  const std::int64_t begin_us = now_us();
  for (const auto& process : processes_) {
    limit_->note("starts " + process->name());
    process->start();
  }
  const milliseconds after_midnight = last_midnight_ + kAfterMidnight - system_time();
  const TimePoint end =
      steady_clock::now() +
      std::max<milliseconds>(std::chrono::seconds(options_.seconds), after_midnight);
  for (TimePoint next_fault{}; steady_clock::now() < end;) {
    heal(/*all=*/false);
    if (steady_clock::now() >= next_fault) {
      begin_fault();
      next_fault = steady_clock::now() + milliseconds(random_.pick(100, 1500));
    }
    revive_dead();
    std::this_thread::sleep_for(milliseconds(10));
  }
  heal(/*all=*/true);
  settle();
  const std::int64_t end_us = now_us();
  end_processes();
  for (const auto& process : processes_) {
    figures_.add(*process, process->notes(), begin_us, end_us);
  }
  judge();
  judge_faults();
  return figures_;
}

void Campaign::end_process(Process& process, int signal) {
  const int expected = signal == SIGKILL ? 128 + SIGKILL : 0;
  if (const int code = process.end(signal); code != expected) {
    violation(process.name() + " ended with " + std::to_string(code) + ": " +
              last_lines(process.output()));
  }
}

bool Campaign::is_free(const Fault& fault) const {
  return std::none_of(active_.begin(), active_.end(), [&](const Active& active) {
    return std::find_first_of(active.fault.touches.begin(), active.fault.touches.end(),
                              fault.touches.begin(),
                              fault.touches.end()) != active.fault.touches.end();
  });
}

void Campaign::begin_fault() {
  if (bag_.empty()) {
    bag_ = all_faults();
    for (std::size_t i = bag_.size(); i > 1; --i) {
      std::swap(bag_[i - 1], bag_[random_.index(i)]);
    }
  }
  const auto chosen =
      std::find_if(bag_.begin(), bag_.end(), [this](const Fault& fault) { return is_free(fault); });
  if (chosen == bag_.end()) return;
  Fault fault = std::move(*chosen);
  bag_.erase(chosen);
  limit_->note("begins '" + fault.name + "'");
  try {
    fault.apply();
    figures_.add_faults(fault.name, 1);
  } catch (const NotOnThisMachine& error) {
    impossible_.insert(fault.name);
    figures_.add_missed_fault(fault.name, error.what());
  } catch (const std::exception& error) {
    figures_.add_missed_fault(fault.name, error.what());
  }
  const milliseconds lasts(random_.pick(fault.lasts_min.count(), fault.lasts_max.count()));
  active_.push_back({std::move(fault), steady_clock::now() + lasts});
}

void Campaign::heal(bool all) {
  for (;;) {
    for (std::size_t i = 0; i < active_.size();) {
      Active& active = active_[i];
      const bool due = all || steady_clock::now() >= active.heal_at;
      if (due && heals(active)) {
        active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
    if (!all || active_.empty()) return;
    std::this_thread::sleep_for(kHealAgainAfter);
  }
}

// False: not yet. Another fault may have to be healed first, such as a stopped process that holds
// the lock which this one waits for.
bool Campaign::heals(Active& active) {
  limit_->note("heals '" + active.fault.name + "'");
  const TimePoint began = steady_clock::now();
  try {
    active.fault.heal();
    return true;
  } catch (const std::exception& error) {
    const TimePoint since = active.heals_in_vain_since.value_or(began);
    if (steady_clock::now() - since > kHealMax) {
      throw std::runtime_error("'" + active.fault.name + "' cannot be healed: " + error.what());
    }
    active.heals_in_vain_since = since;
    active.heal_at = steady_clock::now() + kHealAgainAfter;
    return false;
  }
}

void Campaign::revive_dead() {
  for (const auto& process : processes_) {
    const Fault about{"", {process->name()}, {}, {}, {}, {}};
    if (!is_free(about) || !process->died()) continue;
    violation(process->name() + " died by itself: " + last_lines(process->output()));
    process->end(SIGKILL);
    process->start();
  }
}

bool Campaign::all_serve(std::int64_t since_us) const {
  return std::all_of(processes_.begin(), processes_.end(), [since_us](const auto& process) {
    return process->all_served_us() > since_us;
  });
}

void Campaign::settle() {
  healed_us_ = now_us();
  limit_->note("waits until every process serves again");
  test::wait_until([this] { return all_serve(healed_us_); }, kSettleMax);
  for (const auto& process : processes_) {
    if (process->all_served_us() > healed_us_) continue;
    violation(process->name() + " serves no more: " + last_lines(process->output()));
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));  // for every tag to be asked for
  // And served, which judge() demands: the machine may have stalled.
  test::wait_until(
      [this] {
        return std::all_of(processes_.begin(), processes_.end(), [this](const auto& process) {
          return process->tags_served_us() > healed_us_;
        });
      },
      kSettleMax);
}

void Campaign::end_processes() {
  for (const auto& process : processes_) {
    limit_->note("ends " + process->name());
    process->end_asking();
    end_process(*process, SIGTERM);
  }
}

bool Campaign::may_have_stopped(std::int64_t at_us) const {
  return std::any_of(excused_us_.begin(), excused_us_.end(), [at_us](const auto& excused) {
    return excused.first <= at_us && at_us <= excused.second;
  });
}

void Campaign::judge() {
  limit_->note("checks all ids");
  Ledger ledger(periods_);
  for (const auto& process : processes_) {
    const std::vector<std::string> tags = tags_of(process->name());
    const std::vector<Note> notes = process->notes();
    ledger.add(process->name(), tags, notes);
    std::vector<bool> served(tags.size());
    std::vector<bool> stopped(tags.size());
    for (const Note& note : notes) {
      if (note.has_ids() && note.at_us > healed_us_) served[note.tag] = true;
      const int data_loss = process->is_server() ? 409 : static_cast<int>(StatusCode::kDataLoss);
      const bool stops = !note.has_ids() && note.code == data_loss;
      if (stops && !may_have_stopped(note.at_us)) stopped[note.tag] = true;
    }
    for (std::size_t tag = 0; tag < tags.size(); ++tag) {
      if (!served[tag]) violation(process->name() + " serves " + tags[tag] + " no more");
      const bool is_own = tag == tags.size() - 1;
      if (stopped[tag] && !is_own) {
        violation(process->name() + " stopped " + tags[tag] + " without cause");
      }
    }
  }
  if (options_.strict) ledger.check_strict_order();
  for (const auto& [name, count] : engine_->counts()) figures_.add_faults(name, count);
  figures_.set_verdict(ledger.check(engine_->moves(), options_.floor), engine_->keeps_commits());
}

void Campaign::judge_faults() {
  if (options_.seconds < kAllFaultsSeconds) return;
  for (const Fault& fault : all_faults()) {
    if (figures_.had(fault.name) || impossible_.count(fault.name) > 0) continue;
    violation("the fault never came: " + fault.name);
  }
}

void Campaign::violation(const std::string& text) {
  std::cout << "VIOLATION: " << text << std::endl;  // at once: the campaign may not reach its end
  figures_.add_violation(text);
}

}  // namespace featherid::campaign
