// SPDX-License-Identifier: MIT
#include "test/system/campaign/embedded.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>

#include "test/support/wait_until.h"
#include "test/system/campaign/load.h"

namespace featherid::campaign {

Embedded::Embedded(const test::ScratchDir& scratch, const std::string& name, Options options)
    : Process(name),
      options_(std::move(options)),
      notes_file_(scratch.file(name + ".notes")),
      output_file_(scratch.file(name + ".out")) {}

void Embedded::start() {
  ++life_;
  std::vector<std::string> argv = {options_.program};
  for (const std::string& url : options_.urls) argv.insert(argv.end(), {"--database", url});
  argv.insert(argv.end(), {"--failover", options_.failover, "--lossy-commits",
                           options_.keeps_commits ? "refuse" : "allow", "--name", name(), "--notes",
                           notes_file_, "--life", std::to_string(life_), "--seed",
                           std::to_string(options_.seed + life_), "--clock-ahead-minutes",
                           std::to_string(options_.clock_ahead_minutes)});
  if (options_.periods) argv.emplace_back("--periods");
  test::ChildProcess::Options process_options;
  process_options.output_file = output_file_;
  process_.emplace(argv, process_options);
  if (!test::wait_until([this] { return output().find(begins(life_)) != std::string::npos; })) {
    throw std::runtime_error(name() + " does not start: " + output());
  }
}

int Embedded::end(int signal) { return process_->stop(signal); }

bool Embedded::died() { return process_->wait(std::chrono::milliseconds(0)).has_value(); }

Process::OwnTag Embedded::own_tag() {
  const std::vector<Note> all = notes();
  const auto last = std::find_if(all.rbegin(), all.rend(), [this](const Note& note) {
    return note.life == life_ && note.tag == tags_of(name()).size() - 1;
  });
  if (last == all.rend()) return OwnTag::kFailed;
  if (last->has_ids()) return OwnTag::kServed;
  const bool stopped = last->code == static_cast<std::uint16_t>(StatusCode::kDataLoss);
  return stopped ? OwnTag::kStopped : OwnTag::kFailed;
}

std::int64_t Embedded::all_served_us() {
  std::map<std::uint16_t, std::int64_t> served;
  for (const Note& note : notes()) {
    if (note.has_ids()) served[note.thread] = note.at_us;
  }
  std::int64_t oldest = served.size() == kThreads ? now_us() : 0;
  for (const auto& [thread, at_us] : served) oldest = std::min(oldest, at_us);
  return oldest;
}

std::int64_t Embedded::tags_served_us() {
  std::vector<std::int64_t> served(tags_of(name()).size(), 0);
  for (const Note& note : notes()) {
    if (note.has_ids()) served[note.tag] = std::max(served[note.tag], note.at_us);
  }
  return *std::min_element(served.begin(), served.end());
}

std::vector<Note> Embedded::notes() {
  const std::string bytes = test::read_file(notes_file_);
  std::vector<Note> notes(bytes.size() / sizeof(Note));
  if (!notes.empty()) std::memcpy(notes.data(), bytes.data(), notes.size() * sizeof(Note));
  return notes;
}

}  // namespace featherid::campaign
