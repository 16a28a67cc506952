// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_FIGURES_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_FIGURES_H_

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "test/system/campaign/ledger.h"
#include "test/system/campaign/process.h"

namespace featherid::campaign {

// The figures of a campaign.
class Figures {
 public:
  void add_faults(const std::string& name, std::int64_t count) { faults_[name] += count; }
  void add_missed_fault(const std::string& name, const std::string& why) { missed_[name] = why; }
  bool had(const std::string& fault) const { return faults_.count(fault) > 0; }
  void add_violation(const std::string& text) { violations_.push_back(text); }

  // Of the time from `begin_us` to `end_us`.
  void add(Process& process, const std::vector<Note>& notes, std::int64_t begin_us,
           std::int64_t end_us);
  // `keeps_commits`: ids outside any lease are a violation, because the database has lost none.
  void set_verdict(Ledger::Verdict verdict, bool keeps_commits);

  bool good() const { return violations_.empty(); }
  void print(std::ostream& out) const;

 private:
  void add_error(const Process& process, const Note& note);

  std::map<std::string, std::int64_t> faults_;
  std::map<std::string, std::string> missed_;
  std::map<std::string, std::int64_t> errors_;
  std::map<std::string, double> stalls_s_;  // the longest of each thread
  std::int64_t answers_ = 0;
  std::int64_t full_slots_ = 0;
  std::int64_t slots_ = 0;
  double seconds_ = 0;
  Ledger::Verdict verdict_;
  std::vector<std::string> violations_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_FIGURES_H_
