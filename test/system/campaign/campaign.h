// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_CAMPAIGN_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_CAMPAIGN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "featherid/period.h"
#include "featherid/tag_admin.h"
#include "test/support/scratch_dir.h"
#include "test/system/campaign/engine.h"
#include "test/system/campaign/figures.h"
#include "test/system/campaign/ledger.h"
#include "test/system/campaign/process.h"
#include "test/system/campaign/time_limit.h"

namespace featherid::campaign {

struct Options {
  std::string engine;
  int seconds = 60;
  int overtime_seconds = 300;  // at most, for all that is not faults
  int servers = 3;
  int embedded = 3;
  std::uint64_t seed = 1;
  bool strict = false;            // a tag has strict order, and the table id_tags stays
  bool floor = false;             // every tag has a time floor, which replaces guard and operator
  bool periods = false;           // some shared tags have days, which end during the campaign
  bool redis = false;             // every second client of a server speaks the Redis protocol
  std::string old_server;         // an older featherid-server; every other life runs it
  std::string only;               // faults whose name contains this; empty: all
  std::string embedding_program;  // featherid_campaign_embedding, or one with a planted bug
};

// Until all processes are served once faults are over.
constexpr std::chrono::seconds kSettleMax{30};

// Runs servers and embedding processes on one database, under load, while faults come and go.
class Campaign {
 public:
  explicit Campaign(const Options& options);
  Figures run();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Active {
    Fault fault;
    TimePoint heal_at;
    std::optional<TimePoint> heals_in_vain_since = {};
  };

  int clock_ahead_minutes(int embedded) const;
  void create_tags();
  void set_periods();
  void set_floors();
  std::string failover() const { return options_.floor ? "synchronous" : engine_->failover(); }
  std::vector<Fault> all_faults();
  std::vector<Fault> process_faults(Process& process);
  Fault with_fresh_processes(Fault crash);
  void end_process(Process& process, int signal);  // a violation if it ends otherwise
  bool is_free(const Fault& fault) const;
  void begin_fault();
  void heal(bool all);
  bool heals(Active& active);
  void revive_dead();
  void settle();
  bool all_serve(std::int64_t since_us) const;
  void end_processes();
  void judge();
  void judge_faults();
  bool may_have_stopped(std::int64_t at_us) const;
  void violation(const std::string& text);

  const Options options_;
  Random random_;
  const test::ScratchDir scratch_;
  // From when the engine runs, because some engines can only be made while there is one thread.
  std::optional<TimeLimit> limit_;
  const std::unique_ptr<Engine> engine_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<Fault> bag_;  // one of each fault; refilled when empty
  std::vector<Active> active_;
  Ledger::Periods periods_;
  WallTime last_midnight_{};
  std::set<std::string> impossible_;  // faults that this machine cannot have
  std::int64_t healed_us_ = 0;
  // When processes were right to stop every tag.
  std::vector<std::pair<std::int64_t, std::int64_t>> excused_us_;
  Figures figures_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_CAMPAIGN_H_
