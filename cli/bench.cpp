// SPDX-License-Identifier: MIT
#include "cli/bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/command_line.h"
#include "server/config/values.h"

namespace featherid {

namespace {

using Clock = std::chrono::steady_clock;

struct BenchArguments {
  std::string tag = "health";
  std::string threads = "4";
  std::string time = "5s";
  std::string lease_ids = "1000";
};

// What is measured.
struct Load {
  std::string tag;
  std::int64_t threads;
  std::int64_t lease_ids;
  std::chrono::milliseconds time;
};

// What one thread has seen.
struct Seen {
  std::vector<Clock::duration> latencies;
  Status error;  // the first one; the thread then ends
};

void lease_until(Store& store, const Load& load, Clock::time_point end, Seen* seen) {
  while (Clock::now() < end) {
    const Clock::time_point asked = Clock::now();
    const Result<IdRange> range = store.lease(load.tag, load.lease_ids);
    if (!range.ok()) {
      seen->error = range.status();
      return;
    }
    seen->latencies.push_back(Clock::now() - asked);
  }
}

Value ms_value(Clock::duration time) {
  const double ms = std::chrono::duration<double, std::milli>(time).count();
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ms", ms);
  return Value::fraction(ms, text);
}

Value rate_value(double per_second) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", per_second);
  return Value::fraction(per_second, text);
}

Record record_of(std::vector<Clock::duration> latencies, std::int64_t lease_ids,
                 Clock::duration took) {
  std::sort(latencies.begin(), latencies.end());
  const auto p = [&latencies](std::size_t permille) {
    return ms_value(latencies[(latencies.size() - 1) * permille / 1000]);
  };
  const double rate =
      static_cast<double>(latencies.size()) / std::chrono::duration<double>(took).count();
  return {{"leases", static_cast<std::int64_t>(latencies.size())},
          {"leases_per_s", rate_value(rate)},
          {"ids_per_s", rate_value(rate * static_cast<double>(lease_ids))},
          {"ms_p50", p(500)},
          {"ms_p90", p(900)},
          {"ms_p99", p(990)},
          {"ms_max", p(1000)}};
}

Result<Load> read_load(const BenchArguments& given) {
  Load load;
  load.tag = given.tag;
  const auto number = [](const char* option, const std::string& text, const char* max,
                         std::int64_t* out) {
    const Result<std::int64_t> value = parse_number(text, "1", max);
    if (!value.ok()) return invalid(option + (": " + value.status().message()));
    *out = *value;
    return Status();
  };
  if (Status bad = number("--threads", given.threads, "64", &load.threads); !bad.ok()) return bad;
  if (Status bad = number("--lease-ids", given.lease_ids, "1000000", &load.lease_ids); !bad.ok()) {
    return bad;
  }
  const Result<std::chrono::milliseconds> time = parse_duration(given.time, "100ms", "1h");
  if (!time.ok()) return invalid("--time: " + time.status().message());
  load.time = *time;
  return load;
}

Status bench(Context& context, const BenchArguments& given) {
  const Result<Load> load = read_load(given);
  if (!load.ok()) return load.status();
  if (const Result<Store*> exists = context.store(); !exists.ok()) return exists.status();
  StoreOptions options = context.config().store;
  options.calls_max = static_cast<int>(load->threads);
  const Result<std::unique_ptr<Store>> store = open_store(options);
  if (!store.ok()) return store.status();

  std::vector<Seen> seen(static_cast<std::size_t>(load->threads));
  const Clock::time_point begin = Clock::now();
  std::vector<std::thread> threads;
  for (Seen& own : seen) {
    threads.emplace_back([&store, &load, &own, end = begin + load->time] {
      lease_until(**store, *load, end, &own);
    });
  }
  for (auto now = begin; now < begin + load->time; now = Clock::now()) {
    const auto passed = std::chrono::duration<double>(now - begin);
    context.progress(passed / std::chrono::duration<double>(load->time));
    std::this_thread::sleep_for(
        std::min<Clock::duration>(begin + load->time - now, std::chrono::milliseconds(100)));
  }
  for (std::thread& thread : threads) thread.join();
  const Clock::duration took = Clock::now() - begin;
  context.progress(1);

  std::vector<Clock::duration> latencies;
  for (const Seen& own : seen) {
    if (!own.error.ok()) return own.error;
    latencies.insert(latencies.end(), own.latencies.begin(), own.latencies.end());
  }
  context.out().show(record_of(std::move(latencies), load->lease_ids, took));
  return {};
}

}  // namespace

void add_bench(CommandLine& line) {
  const auto given = std::make_shared<BenchArguments>();
  CLI::App* const command = line.add(
      "bench", "lease ids as fast as the database can, and print how fast; they are used up",
      [given](Context& context) { return bench(context, *given); });
  command->add_option("TAG", given->tag, "the tag whose ids are used up (default: health)")
      ->type_name("");
  command->add_option("--threads", given->threads, "how many lease at once")
      ->type_name("N")
      ->default_str(given->threads);
  command->add_option("--time", given->time, "for how long")
      ->type_name("TIME")
      ->default_str(given->time);
  command->add_option("--lease-ids", given->lease_ids, "ids in each lease")
      ->type_name("N")
      ->default_str(given->lease_ids);
}

}  // namespace featherid
