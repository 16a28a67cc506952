// SPDX-License-Identifier: MIT
#include "cli/bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "cli/present_period.h"
#include "server/config/values.h"

namespace featherid {

namespace {

using Clock = std::chrono::steady_clock;

struct BenchArguments {
  std::string tag = "health";
  std::string threads = "4";
  std::string time = "5s";
  std::string ids_each = "1000";
};

// What is measured.
struct Load {
  std::string tag;
  std::int64_t threads;
  std::int64_t ids_each;
  std::chrono::milliseconds time;
};

// What one thread has seen.
struct Seen {
  std::vector<Clock::duration> latencies;
  Status error;  // the first one; the thread then ends
};

// One lease or request.
using Call = std::function<Status()>;

// At least one call, even if the machine stalls until the end.
void call_until(const Call& call, Clock::time_point end, Seen* seen) {
  do {
    const Clock::time_point asked = Clock::now();
    if (Status status = call(); !status.ok()) {
      seen->error = std::move(status);
      return;
    }
    seen->latencies.push_back(Clock::now() - asked);
  } while (Clock::now() < end);
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

// `calls`: what the calls are.
Record record_of(std::vector<Clock::duration> latencies, const std::string& calls,
                 std::int64_t ids_each, Clock::duration took) {
  std::sort(latencies.begin(), latencies.end());
  const auto p = [&latencies](std::size_t permille) {
    return ms_value(latencies[(latencies.size() - 1) * permille / 1000]);
  };
  const double rate =
      static_cast<double>(latencies.size()) / std::chrono::duration<double>(took).count();
  return {{calls, static_cast<std::int64_t>(latencies.size())},
          {calls + "_per_s", rate_value(rate)},
          {"ids_per_s", rate_value(rate * static_cast<double>(ids_each))},
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
  if (Status bad = number("--ids", given.ids_each, "1000000", &load.ids_each); !bad.ok()) {
    return bad;
  }
  const Result<std::chrono::milliseconds> time = parse_duration(given.time, "100ms", "1h");
  if (!time.ok()) return invalid("--time: " + time.status().message());
  load.time = *time;
  return load;
}

// A call for each thread. What they use lives as long as they do.
Result<std::vector<Call>> calls_of(Context& context, const Load& load) {
  std::vector<Call> calls;
  const RemoteServer& remote = context.config().remote;
  if (!remote.url.empty()) {
    const Result<ServerClient*> server = context.server();
    if (!server.ok()) return server.status();
    calls.assign(static_cast<std::size_t>(load.threads), [client = *server, load] {
      return client->take(load.tag, load.ids_each).status();
    });
    return calls;
  }
  if (const Result<Store*> exists = context.store(); !exists.ok()) return exists.status();
  StoreOptions options = context.config().store;
  options.calls_max = static_cast<int>(load.threads);
  Result<std::unique_ptr<Store>> opened = open_store(options);
  if (!opened.ok()) return opened.status();
  const std::shared_ptr<Store> store = *std::move(opened);
  const Result<Period> present = present_period(*store, load.tag);
  if (!present.ok()) return present.status();
  calls.assign(static_cast<std::size_t>(load.threads), [store, load, period = *present]() mutable {
    return lease_in_present(*store, load.tag, load.ids_each, &period).status();
  });
  return calls;
}

Status bench(Context& context, const BenchArguments& given) {
  const Result<Load> load = read_load(given);
  if (!load.ok()) return load.status();
  const Result<std::vector<Call>> calls = calls_of(context, *load);
  if (!calls.ok()) return calls.status();

  std::vector<Seen> seen(calls->size());
  const Clock::time_point begin = Clock::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([call = &(*calls)[i], own = &seen[i], end = begin + load->time] {
      call_until(*call, end, own);
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
  const char* const name = context.config().remote.url.empty() ? "leases" : "requests";
  context.out().show(record_of(std::move(latencies), name, load->ids_each, took));
  return {};
}

}  // namespace

void add_bench(CommandLine& line) {
  const auto given = std::make_shared<BenchArguments>();
  CLI::App* const command = line.add(
      "bench",
      "take ids as fast as the database or server can, and print how fast; they are used up",
      [given](Context& context) { return bench(context, *given); });
  command->add_option("TAG", given->tag, "the tag whose ids are used up (default: health)")
      ->type_name("");
  command->add_option("--threads", given->threads, "number of threads that ask at once")
      ->type_name("N")
      ->default_str(given->threads);
  command->add_option("--time", given->time, "how long to run")
      ->type_name("TIME")
      ->default_str(given->time);
  command->add_option("--ids", given->ids_each, "ids in each lease or request")
      ->type_name("N")
      ->default_str(given->ids_each);
}

}  // namespace featherid
