// SPDX-License-Identifier: MIT
// featherid_campaign_embedding: embeds FeatherID as an application would, and records every id that
// it gets. On SIGTERM it shuts the allocator down and ends.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>
#include <thread>

#include "featherid/etcd_store.h"
#include "featherid/http_store.h"
#include "featherid/segment_allocator.h"
#include "featherid/soci_store.h"
#include "lib/store/time_floor_rules.h"
#include "test/system/campaign/load.h"
#include "test/system/campaign/note.h"

namespace featherid::campaign {

namespace {

std::atomic<bool> stopping{false};

struct Options {
  std::vector<std::string> urls;
  std::string failover = "skip";
  std::string lossy_commits = "refuse";
  std::string name;
  std::string notes;
  bool periods = false;
  int clock_ahead_minutes = 0;
  std::uint16_t life = 0;
  std::uint64_t seed = 1;
};

// One thread that takes ids, and its notes.
class Asker {
 public:
  Asker(SegmentAllocator& ids, const Options& options, int file, std::uint16_t thread)
      : random_(options.seed * kThreads + thread),
        ids_(ids),
        tags_(tags_of(options.name)),
        periods_(options.periods),
        file_(file),
        life_(options.life),
        thread_(thread) {
    for (const std::string& tag : tags_) sequences_.push_back(*ids.sequence(tag));
  }

  void run() {
    for (Pace pace; !stopping; pace.wait()) ask();
  }

 private:
  void ask() {
    const Question question = next_question(random_, tags_.size());
    began_us_ = now_us();
    Sequence& sequence = sequences_[question.tag];
    if (periods_ && is_periodic(tags_[question.tag])) return ask_in_period(question, sequence);
    switch (question.kind) {
      case Question::kOne: {
        const Result<std::int64_t> id =
            random_.percent(50) ? sequence.next() : ids_.next_id(tags_[question.tag]);
        if (!id.ok()) return note_error(question, id.status());
        return note(question, Note::kIds, {*id, *id + 1});
      }
      case Question::kBatch:
        return tags_[question.tag] == kStrictTag ? ask_async(question, sequence)
                                                 : ask_block(question, sequence);
      case Question::kRange:
        return note_ranges(question, sequence.next_range(question.count_ids));
    }
  }

  void ask_in_period(const Question& question, Sequence& sequence) {
    switch (question.kind) {
      case Question::kOne: {
        const Result<PeriodId> id = sequence.next_in_period();
        if (!id.ok()) return note_error(question, id.status());
        return note(question, Note::kIds, {id->id, id->id + 1}, id->period);
      }
      case Question::kBatch: {
        std::promise<Result<PeriodRanges>> answer;
        sequence.next_range_in_period_async(question.count_ids, std::chrono::seconds(2),
                                            [&](auto ids) { answer.set_value(std::move(ids)); });
        return note_ranges(question, answer.get_future().get());
      }
      case Question::kRange:
        return note_ranges(question, sequence.next_range_in_period(question.count_ids));
    }
  }

  // Strict order allows no block.
  void ask_async(const Question& question, Sequence& sequence) {
    std::promise<Result<std::vector<IdRange>>> answer;
    sequence.next_range_async(question.count_ids, std::chrono::seconds(2),
                              [&](auto ids) { answer.set_value(std::move(ids)); });
    note_ranges(question, answer.get_future().get());
  }

  void note_ranges(const Question& question, const Result<std::vector<IdRange>>& ranges) {
    if (!ranges.ok()) return note_error(question, ranges.status());
    Note::Kind kind = Note::kIds;
    for (const IdRange range : *ranges) note(question, std::exchange(kind, Note::kMoreIds), range);
  }

  void note_ranges(const Question& question, const Result<PeriodRanges>& ids) {
    if (!ids.ok()) return note_error(question, ids.status());
    Note::Kind kind = Note::kIds;
    for (const IdRange range : ids->ranges) {
      note(question, std::exchange(kind, Note::kMoreIds), range, ids->period);
    }
  }

  // As a batch is made: one id after the other. Ids before a failing one are in use as well.
  void ask_block(const Question& question, const Sequence& sequence) {
    LocalBlock block = sequence.local(question.count_ids);
    IdRange run;
    Status status;
    for (std::int64_t i = 0; i < question.count_ids; ++i) {
      const Result<std::int64_t> id = block.next();
      if (!id.ok()) {
        status = id.status();
        break;
      }
      if (*id != run.end) {
        if (!run.empty()) note(question, Note::kUnorderedIds, run);
        run = {*id, *id};
      }
      ++run.end;
    }
    if (!run.empty()) note(question, Note::kUnorderedIds, run);
    if (!status.ok()) note_error(question, status);
  }

  void note_error(const Question& question, const Status& status) {
    write({began_us_, now_us(), 0, 0, Note::kError, static_cast<std::uint8_t>(question.tag),
           thread_, life_, static_cast<std::uint16_t>(status.code())});
  }

  void note(const Question& question, Note::Kind kind, IdRange range, Period period = {}) {
    write({began_us_, now_us(), range.first, range.end, kind,
           static_cast<std::uint8_t>(question.tag), thread_, life_, 0, period.number()});
  }

  void write(const Note& note) const {
    if (::write(file_, &note, sizeof(note)) != static_cast<ssize_t>(sizeof(note))) std::abort();
  }

  Random random_;
  SegmentAllocator& ids_;
  const std::vector<std::string> tags_;
  const bool periods_;
  const int file_;
  const std::uint16_t life_;
  const std::uint16_t thread_;
  std::vector<Sequence> sequences_;
  std::int64_t began_us_ = 0;  // the last question
};

void log_to_stderr(LogLevel, std::string_view line) { std::cerr << std::string(line) + "\n"; }

Result<std::unique_ptr<Store>> open_store(const Options& options) {
  if (options.urls.front().rfind("http", 0) == 0) {
    HttpStoreOptions http;
    http.call_timeout = std::chrono::seconds(2);
    http.connect_timeout = std::chrono::milliseconds(500);
    http.log = log_to_stderr;
    return open_http_store(options.urls, http);
  }
  if (options.urls.front().rfind("etcd", 0) == 0) {
    EtcdStoreOptions etcd;
    etcd.call_timeout = std::chrono::seconds(2);
    etcd.connect_timeout = std::chrono::milliseconds(500);
    etcd.log = log_to_stderr;
    return open_etcd_store(options.urls.front(), etcd);
  }
  SociStoreOptions soci;
  soci.call_timeout = std::chrono::seconds(2);
  soci.failover = options.failover == "skip"   ? Failover::kSkip
                  : options.failover == "stop" ? Failover::kStop
                                               : Failover::kSynchronous;
  soci.lossy_commits =
      options.lossy_commits == "allow" ? LossyCommits::kAllow : LossyCommits::kRefuse;
  soci.log = log_to_stderr;
  soci.clock = [ahead = std::chrono::minutes(options.clock_ahead_minutes)] {
    return system_time() + ahead;
  };
  return open_soci_store(options.urls, soci);
}

int run(const Options& options) {
  Result<std::unique_ptr<Store>> store = open_store(options);
  const int file = ::open(options.notes.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (!store.ok() || file < 0) {
    std::cerr << "featherid_campaign_embedding: " << store.status().to_string() << ", notes in "
              << options.notes << "\n";
    return 1;
  }
  AllocatorOptions allocator_options;
  allocator_options.hold = std::chrono::seconds(kHoldSeconds);
  allocator_options.lease_max_ids = kLeaseIdsMax;
  allocator_options.log = [](LogLevel level, std::string_view message) {
    if (level >= LogLevel::kWarn) std::cerr << std::string(message) + "\n";
  };
  SegmentAllocator ids(*std::move(store), allocator_options);
  std::vector<std::thread> threads;
  for (std::uint16_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(
        [&ids, &options, file, thread] { Asker(ids, options, file, thread).run(); });
  }
  for (std::thread& thread : threads) thread.join();
  ids.shutdown();
  return 0;
}

}  // namespace

}  // namespace featherid::campaign

int main(int argc, char** argv) {
  using namespace featherid::campaign;
  CLI::App app("a program that embeds FeatherID and notes every id");
  Options options;
  app.add_option("--database", options.urls)->required();
  app.add_option("--failover", options.failover);
  app.add_option("--lossy-commits", options.lossy_commits);
  app.add_option("--name", options.name)->required();
  app.add_option("--notes", options.notes)->required();
  app.add_flag("--periods", options.periods);
  app.add_option("--clock-ahead-minutes", options.clock_ahead_minutes);
  app.add_option("--life", options.life)->required();
  app.add_option("--seed", options.seed)->required();
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGTERM, [](int) { stopping = true; });
  std::cerr << begins(options.life) << std::endl;  // a SIGTERM before would have killed it
  return run(options);
}
