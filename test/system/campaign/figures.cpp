// SPDX-License-Identifier: MIT
#include "test/system/campaign/figures.h"

#include <algorithm>
#include <iomanip>
#include <utility>

#include "featherid/status.h"
#include "test/system/campaign/load.h"

namespace featherid::campaign {

namespace {

constexpr std::int64_t kSlotUs = 1000000;
constexpr double kFullShare = 0.8;  // of the turns that a slot has

void print_counts(std::ostream& out, const char* what,
                  const std::map<std::string, std::int64_t>& counts) {
  out << what;
  const char* separator = " ";
  for (const auto& [name, count] : counts) {
    out << std::exchange(separator, "; ") << name << " " << count;
  }
  out << (counts.empty() ? " none\n" : "\n");
}

}  // namespace

void Figures::add_error(const Process& process, const Note& note) {
  if (!process.is_server()) {
    ++errors_[std::string("embedded: ") + to_string(static_cast<StatusCode>(note.code))];
  } else if (note.code == 0) {
    ++errors_["HTTP: no answer"];
  } else {
    ++errors_["HTTP " + std::to_string(note.code)];
  }
}

void Figures::add(Process& process, const std::vector<Note>& notes, std::int64_t begin_us,
                  std::int64_t end_us) {
  struct OfThread {
    std::int64_t served_us;
    std::int64_t stall_us = 0;
    std::vector<int> answers;  // by slot
  };
  const auto slots = static_cast<std::size_t>((end_us - begin_us) / kSlotUs);
  std::vector<OfThread> threads(kThreads, {begin_us, 0, std::vector<int>(slots)});
  for (const Note& note : notes) {
    if (!note.has_ids()) add_error(process, note);
    if (!note.begins_answer()) continue;
    OfThread& thread = threads.at(note.thread);
    thread.stall_us = std::max(thread.stall_us, note.at_us - thread.served_us);
    thread.served_us = note.at_us;
    ++answers_;
    const auto slot =
        static_cast<std::size_t>(std::max<std::int64_t>(0, note.at_us - begin_us) / kSlotUs);
    if (slot < slots) ++thread.answers[slot];
  }
  const double full =
      kFullShare * static_cast<double>(std::chrono::microseconds(kSlotUs) / kPeriod);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    OfThread& thread = threads[i];
    thread.stall_us = std::max(thread.stall_us, end_us - thread.served_us);
    stalls_s_[process.name() + "/" + std::to_string(i)] =
        static_cast<double>(thread.stall_us) / 1e6;
    full_slots_ += std::count_if(thread.answers.begin(), thread.answers.end(),
                                 [&](int answers) { return answers >= full; });
    slots_ += static_cast<std::int64_t>(slots);
  }
  seconds_ = static_cast<double>(end_us - begin_us) / 1e6;
}

void Figures::set_verdict(Ledger::Verdict verdict, bool keeps_commits) {
  verdict_ = std::move(verdict);
  if (verdict_.ids == 0) add_violation("no id was acknowledged");
  if (verdict_.duplicates > 0) add_violation("duplicates");
  if (verdict_.outside_leases > 0 && keeps_commits)
    add_violation("ids outside any committed lease");
  if (verdict_.out_of_order > 0) add_violation("order violations");
  if (verdict_.out_of_strict_order > 0) add_violation("ids not in strict order");
  if (verdict_.early > 0) add_violation("ids before their period");
  if (verdict_.late > 0) add_violation("ids after their period");
  for (const auto& [tag, periods] : verdict_.periods) {
    if (periods.size() < 2) add_violation("no period of " + tag + " ended");
  }
}

void Figures::print(std::ostream& out) const {
  for (const std::string& example : verdict_.examples) out << example << "\n";
  for (const std::string& violation : violations_) out << "VIOLATION: " << violation << "\n";
  for (const auto& [name, why] : missed_) out << "not had: " << name << ": " << why << "\n";
  out << std::fixed << std::setprecision(1);
  out << "ids acknowledged: " << verdict_.ids << " in " << answers_ << " answers, "
      << static_cast<double>(verdict_.ids) / seconds_ / 1000 << "k ids/s over " << seconds_
      << " s\n";
  out << "duplicates: " << verdict_.duplicates << "\n";
  out << "ids outside any committed lease: " << verdict_.outside_leases << " (of "
      << verdict_.leases << " leases)\n";
  out << "order violations: " << verdict_.out_of_order << "\n";
  if (verdict_.strict_calls > 0) {
    out << "ids not in strict order: " << verdict_.out_of_strict_order << " (of "
        << verdict_.strict_calls << " calls)\n";
  }
  if (!verdict_.periods.empty()) {
    std::size_t changes = 0;
    for (const auto& [tag, periods] : verdict_.periods) changes += periods.size() - 1;
    out << "ids outside their period: " << verdict_.early << " before, " << verdict_.late
        << " after (" << changes << " changes; the latest answer came "
        << static_cast<double>(verdict_.latest_us) / 1e3 << " ms after its period)\n";
  }
  print_counts(out, "kills, cuts and other faults:", faults_);
  print_counts(out, "errors seen by clients:", errors_);
  out << "longest stall per client, s:";
  for (const auto& [thread, seconds] : stalls_s_) out << " " << thread << " " << seconds;
  out << "\nshare of time at full rate: "
      << (slots_ > 0 ? 100.0 * static_cast<double>(full_slots_) / static_cast<double>(slots_) : 0)
      << " %\n";
  out << "ids wasted: " << verdict_.wasted << "\n";
  out << violations_.size() << " violations" << std::endl;
}

}  // namespace featherid::campaign
