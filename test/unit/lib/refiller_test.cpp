// SPDX-License-Identifier: MIT
#include "lib/segment/refiller.h"

#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/manual_clock.h"
#include "test/support/wait_until.h"

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr TagStateOptions kOptions{
    seconds(2), {seconds(30), 10000000}, milliseconds(20), seconds(1), seconds(1)};

// A refiller driven by hand.
struct Fixture {
  std::shared_ptr<test::FaultStore> store = std::make_shared<test::FaultStore>();
  std::shared_ptr<test::ManualClock> clock = std::make_shared<test::ManualClock>();
  std::vector<std::string> log;
  std::shared_ptr<Refiller> refiller =
      std::make_shared<Refiller>(store, clock, [this](LogLevel level, std::string_view line) {
        if (level >= LogLevel::kInfo) log.emplace_back(line);
      });
  std::vector<std::shared_ptr<TagState>> tags;

  ~Fixture() {
    for (const auto& tag : tags) tag->close();
  }
  TagState& add(const std::string& name, std::int64_t step) {
    REQUIRE(store->create(name, step).ok());
    tags.push_back(std::make_shared<TagState>(name, kOptions, clock, refiller.get()));
    return *tags.back();
  }
  static std::int64_t next(TagState& tag) {
    const Result<std::vector<IdRange>> taken = tag.try_take(1, 1);
    return taken.ok() ? taken->front().first : 0;
  }
};

}  // namespace

TEST_CASE("a refill finds the row and leases its step", "[refiller]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  CHECK_FALSE(f.refiller->run_once());
  CHECK(Fixture::next(tag) == 0);
  CHECK(f.refiller->run_once());
  CHECK(Fixture::next(tag) == 1);
  CHECK(f.store->memory().find("order")->max_id == 100);
  CHECK(f.store->finds() == 1);
}

TEST_CASE("while the store fails several tags, all of them pause together", "[refiller][fault]") {
  Fixture f;
  f.refiller->pause_together(milliseconds(20), seconds(1), 7);
  int calls = 0;
  bool down = true;
  f.store->on_lease = [&](std::string_view tag, std::int64_t count) -> Result<IdRange> {
    ++calls;
    if (down) return Status(StatusCode::kUnavailable, "the store is down");
    return f.store->memory().lease(tag, count);
  };
  for (int i = 0; i < 50; ++i) f.add("tag" + std::to_string(i), 100);
  const auto run_for = [&](Duration time) {
    for (Duration left = time; left > Duration(0); left -= milliseconds(10)) {
      for (const auto& tag : f.tags) static_cast<void>(Fixture::next(*tag));
      while (f.refiller->run_once()) continue;
      f.clock->advance(milliseconds(10));
    }
  };
  run_for(seconds(20));
  // Two pauses per second at most once they are long, and a few short ones before. On its own, each
  // tag would try once a second.
  CHECK(calls > 20);
  CHECK(calls < 60);
  down = false;
  run_for(seconds(1));  // one pause later, nobody waits for a pause any more
  for (const auto& tag : f.tags) CHECK(Fixture::next(*tag) > 0);
}

TEST_CASE("one tag that fails alone makes no other tag pause", "[refiller][fault]") {
  Fixture f;
  f.refiller->pause_together(milliseconds(20), seconds(1), 7);
  f.store->on_lease = [&](std::string_view tag, std::int64_t count) -> Result<IdRange> {
    if (tag == "locked") return Status(StatusCode::kUnavailable, "its row is locked");
    return f.store->memory().lease(tag, count);
  };
  TagState& locked = f.add("locked", 100);
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(Fixture::next(locked));
    while (f.refiller->run_once()) continue;
    TagState& other = f.add("other" + std::to_string(i), 100);
    CHECK(Fixture::next(other) == 0);
    while (f.refiller->run_once()) continue;
    CHECK(Fixture::next(other) == 1);
    f.clock->advance(seconds(1));
  }
}

TEST_CASE("a failed lease is retried after its pause and logged once", "[refiller][fault]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  f.store->on_lease = [](std::string_view, std::int64_t) {
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  CHECK(Fixture::next(tag) == 0);
  for (int i = 0; i < 5; ++i) {
    CHECK(f.refiller->run_once());
    CHECK_FALSE(f.refiller->run_once());
    REQUIRE(f.refiller->next_due().has_value());
    f.clock->advance(*f.refiller->next_due() - f.clock->now());
  }
  f.store->on_lease = nullptr;
  CHECK(f.refiller->run_once());
  CHECK(Fixture::next(tag) == 1);
  CHECK(f.log == std::vector<std::string>{"tag 'order': cannot lease: the store is down",
                                          "tag 'order': the store answers again"});
}

TEST_CASE("a tag behind others that the store fails gets the error at once", "[refiller][fault]") {
  std::list<Status> heard;
  Fixture f;  // destroyed before `heard`
  TagState& order = f.add("order", 100);
  TagState& user = f.add("user", 100);
  TagState& late = f.add("late", 100);
  f.store->on_find = [](std::string_view) {
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  // What a parked caller of `late` gets. The test's own kDeadlineExceeded means that it waits.
  const auto hear = [&]() -> const Status& {
    Status& own = heard.emplace_back(StatusCode::kDeadlineExceeded, "waits");
    late.take_async(1, seconds(2), [&own](const auto& ids) { own = ids.status(); });
    return own;
  };
  bool several = true;
  SECTION("its first caller waits, the next one does not, until a call succeeds") {}
  SECTION("a tag that fails alone, because its row is locked, is no reason") { several = false; }

  CHECK(Fixture::next(order) == 0);
  CHECK(f.refiller->run_once());
  if (several) CHECK(Fixture::next(user) == 0);
  f.clock->advance(seconds(1));
  CHECK(f.refiller->run_once());
  f.clock->advance(seconds(10));  // their next calls hang
  CHECK(hear().message() == "waits");
  f.clock->advance(seconds(2));
  if (!several) {
    CHECK(hear().message() == "waits");
    return;
  }
  CHECK(hear().message() == "the store is down");
  CHECK(late.take(1, 1, {}).status().message() == "the store is down");
  CHECK(late.try_take(1, 1).status().message() == "the store is down");
  f.store->on_find = nullptr;
  CHECK(f.refiller->run_once());
  CHECK(hear().message() == "waits");
  while (f.refiller->run_once()) continue;
  CHECK(Fixture::next(late) > 0);
}

TEST_CASE("the log reports a recovery only after a call succeeds, even if no ids are due",
          "[refiller][fault]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  CHECK(Fixture::next(tag) == 0);
  while (f.refiller->run_once()) continue;
  f.store->on_lease = [](std::string_view, std::int64_t) {
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  f.store->on_find = [](std::string_view) {
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  CHECK_FALSE(tag.try_take(5000, 5000).ok());  // more than it holds, and then nobody waits
  for (int i = 0; i < 5; ++i) {
    CHECK(f.refiller->run_once());
    f.clock->advance(seconds(1));
  }
  CHECK(tag.snapshot().error.code() == StatusCode::kUnavailable);
  f.store->on_lease = nullptr;
  f.store->on_find = nullptr;
  CHECK(f.refiller->run_once());
  CHECK(tag.snapshot().error.ok());
  CHECK(f.log == std::vector<std::string>{"tag 'order': cannot lease: the store is down",
                                          "tag 'order': the store answers again"});
}

TEST_CASE("look-ups of a name end when nobody asks for it", "[refiller][fault]") {
  Status heard(StatusCode::kDeadlineExceeded, "waits");
  Fixture f;
  TagState& tag = f.add("order", 100);
  f.store->on_find = [](std::string_view) {
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  CHECK(Fixture::next(tag) == 0);
  for (int i = 0; i < 100; ++i) {
    while (f.refiller->run_once()) continue;
    f.clock->advance(seconds(1));
  }
  CHECK(f.store->finds() <= 2);
  // The next caller makes the store look again and does not get the old error.
  f.store->on_find = nullptr;
  const auto hear = [&](const auto& ids) { heard = ids.status(); };
  tag.take_async(1, seconds(2), hear);
  CHECK(heard.message() == "waits");
  tag.take_async(1, seconds(2), hear);
  CHECK(heard.message() == "waits");
  CHECK(f.refiller->run_once());
  CHECK(heard.ok());
}

TEST_CASE("a store that throws fails that call only", "[refiller][fault]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  f.store->on_lease = [](std::string_view, std::int64_t) -> Result<IdRange> {
    throw std::runtime_error("boom");
  };
  CHECK(Fixture::next(tag) == 0);
  CHECK(f.refiller->run_once());
  CHECK_THAT(f.log.at(0), Contains("boom"));
}

TEST_CASE("a store may throw anything, even without a text", "[refiller][fault]") {
  struct Silent final : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  Fixture f;
  TagState& tag = f.add("order", 100);
  std::string said;
  SECTION("an exception whose what() is null, from a lease") {
    f.store->on_lease = [](std::string_view, std::int64_t) -> Result<IdRange> { throw Silent(); };
    said = "an exception without a text";
  }
  SECTION("the same, from a look-up") {
    f.store->on_find = [](std::string_view) -> Result<SegmentRow> { throw Silent(); };
    said = "an exception without a text";
  }
  SECTION("a number") {
    f.store->on_lease = [](std::string_view, std::int64_t) -> Result<IdRange> { throw 42; };
    said = "something that is not a std::exception";
  }
  CHECK(Fixture::next(tag) == 0);
  CHECK(f.refiller->run_once());
  CHECK_THAT(f.log.at(0), Contains(said));
}

TEST_CASE("an exception from the log callback costs the line and nothing else",
          "[refiller][fault]") {
  Fixture f;
  auto refiller =
      std::make_shared<Refiller>(f.store, f.clock, [](LogLevel, std::string_view) { throw 42; });
  REQUIRE(f.store->create("order", 100).ok());
  f.store->on_lease = [](std::string_view, std::int64_t) {
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  const auto tag = std::make_shared<TagState>("order", kOptions, f.clock, refiller.get());
  CHECK(Fixture::next(*tag) == 0);
  CHECK(refiller->run_once());
  f.store->on_lease = nullptr;
  f.clock->advance(seconds(1));
  CHECK(refiller->run_once());
  CHECK(Fixture::next(*tag) == 1);
  tag->close();
}

TEST_CASE("an ambiguous lease is never used: its ids become a gap", "[refiller][fault]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  bool failed = false;
  f.store->on_lease = [&](std::string_view name, std::int64_t count) -> Result<IdRange> {
    Result<IdRange> range = f.store->memory().lease(name, count);
    if (std::exchange(failed, true)) return range;
    return Status(StatusCode::kUnavailable, "the answer was lost after the commit");
  };
  CHECK(Fixture::next(tag) == 0);
  CHECK(f.refiller->run_once());
  f.clock->advance(seconds(1));
  CHECK(f.refiller->run_once());
  CHECK(Fixture::next(tag) == 101);
}

TEST_CASE("an idle tag leases once and never again", "[refiller]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  CHECK(Fixture::next(tag) == 0);
  while (f.refiller->run_once()) continue;
  for (int i = 0; i < 1000; ++i) {
    f.clock->advance(seconds(1));
    CHECK_FALSE(f.refiller->run_once());
  }
  CHECK(f.store->leases() == 1);
}

TEST_CASE("a steady burn, once grown, leases at most once per half a hold and holds one hold",
          "[refiller][one_thread]") {
  Fixture f;
  TagState& tag = f.add("order", 1000);
  constexpr int kIdsPerTick = 1000;  // 100,000 ids/s
  constexpr auto kTick = milliseconds(10);
  int empty_handed = 0;
  int leases_at_half = 0;
  std::int64_t held_min = INT64_MAX;
  for (int tick = 0; tick < 30000; ++tick) {  // 300 s
    f.clock->advance(kTick);
    for (int i = 0; i < kIdsPerTick; ++i) {
      if (tick > 100 && Fixture::next(tag) == 0) ++empty_handed;
      if (tick <= 100) Fixture::next(tag);
    }
    while (f.refiller->run_once()) continue;
    if (tick == 15000) leases_at_half = f.store->leases();
    if (tick > 15000) held_min = std::min(held_min, tag.snapshot().held_ids);
  }
  CHECK(empty_handed == 0);
  CHECK(f.store->leases() - leases_at_half <= 10);  // 150 s of burn, hold 30 s
  CHECK(held_min >= 3000000);                       // 30 s of burn
  CHECK(held_min <= 7000000);
}

TEST_CASE("a single spike does not over-lease", "[refiller]") {
  Fixture f;
  TagState& tag = f.add("order", 1000);
  std::int64_t used = 0;
  for (int tick = 0; tick < 100; ++tick) {  // 1M ids/s for 0.1 s
    f.clock->advance(milliseconds(1));
    for (int i = 0; i < 1000; ++i) used += Fixture::next(tag) != 0 ? 1 : 0;
    while (f.refiller->run_once()) continue;
  }
  for (int i = 0; i < 1000; ++i) {
    f.clock->advance(seconds(1));
    while (f.refiller->run_once()) continue;
  }
  CHECK(tag.snapshot().held_ids <= 2 * used + 2000);  // two steps: the first leases
}

TEST_CASE("a hanging store call holds up neither the other tags nor the stop",
          "[refiller][threads][fault]") {
  auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("stuck", 100).ok());
  REQUIRE(store->create("order", 100).ok());
  struct Gate {
    std::mutex mutex;
    std::condition_variable open_changed;
    bool open = false;
  };
  auto gate = std::make_shared<Gate>();
  store->on_lease = [gate, memory = &store->memory()](std::string_view tag, std::int64_t count) {
    if (tag == "stuck") {
      std::unique_lock<std::mutex> lock(gate->mutex);
      gate->open_changed.wait(lock, [&] { return gate->open; });
    }
    return memory->lease(tag, count);
  };
  auto clock = std::make_shared<SteadyClock>();
  auto refiller = std::make_shared<Refiller>(store, clock, LogCallback());
  REQUIRE(refiller->start(2).ok());
  auto stuck = std::make_shared<TagState>("stuck", kOptions, clock, refiller.get());
  auto order = std::make_shared<TagState>("order", kOptions, clock, refiller.get());
  CHECK_FALSE(stuck->try_take(1, 1).ok());
  for (int i = 0; i < 1000; ++i) CHECK(order->take(1, 1, seconds(30)).ok());

  stuck->close();
  order->close();
  CHECK_FALSE(refiller->stop(milliseconds(50)));
  refiller.reset();
  {
    const std::lock_guard<std::mutex> lock(gate->mutex);
    gate->open = true;
  }
  gate->open_changed.notify_all();
  while (store->memory().find("stuck")->max_id == 0) std::this_thread::yield();
}

TEST_CASE("tags that are served come before names that may not exist", "[refiller]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  CHECK(Fixture::next(tag) == 0);
  CHECK(f.refiller->run_once());
  std::vector<std::string> asked;
  f.store->on_find = [&](std::string_view name) {
    asked.emplace_back(name);
    return f.store->memory().find(name);
  };
  f.store->on_lease = [&](std::string_view name, std::int64_t count) {
    asked.emplace_back(name);
    return f.store->memory().lease(name, count);
  };
  for (const char* name : {"a", "b", "c"}) {
    f.tags.push_back(std::make_shared<TagState>(name, kOptions, f.clock, f.refiller.get()));
    CHECK(Fixture::next(*f.tags.back()) == 0);
  }
  f.clock->advance(milliseconds(1));
  for (int i = 0; i < 80; ++i) CHECK(Fixture::next(tag) != 0);  // is due now, after the others
  while (f.refiller->run_once()) continue;
  CHECK(asked == std::vector<std::string>{"order", "a", "b", "c"});
}

TEST_CASE("a new tag gets its turn even if the others never have enough", "[refiller]") {
  Fixture f;
  TagState& busy = f.add("busy", 1);
  TagState& fresh = f.add("fresh", 100);
  const auto burn = [&] {
    while (Fixture::next(busy) != 0) continue;
  };
  burn();
  CHECK(f.refiller->run_once());
  burn();
  CHECK(Fixture::next(fresh) == 0);
  for (int i = 0; i < 2; ++i) {
    f.clock->advance(milliseconds(1));
    burn();
    CHECK(f.refiller->run_once());
  }
  CHECK(Fixture::next(fresh) == 1);
}

TEST_CASE("a thread left behind no longer calls the log callback", "[refiller][threads][fault]") {
  auto store = std::make_shared<test::FaultStore>();
  REQUIRE(store->create("order", 100).ok());
  std::atomic<bool> called{false};
  std::atomic<bool> released{false};
  std::atomic<bool> closed{false};
  std::atomic<int> lines_after_close{0};
  store->on_find = [&](std::string_view) -> Result<SegmentRow> {
    called = true;
    while (!released) std::this_thread::yield();
    return Status(StatusCode::kUnavailable, "down");
  };
  std::weak_ptr<Refiller> left_behind;
  {
    auto clock = std::make_shared<SteadyClock>();
    auto refiller = std::make_shared<Refiller>(store, clock, [&](LogLevel, std::string_view) {
      if (closed) ++lines_after_close;
    });
    left_behind = refiller;
    REQUIRE(refiller->start(1).ok());
    auto order = std::make_shared<TagState>("order", kOptions, clock, refiller.get());
    CHECK_FALSE(order->try_take(1, 1).ok());
    REQUIRE(test::wait_until([&] { return called.load(); }));
    order->close();
    CHECK_FALSE(refiller->stop(milliseconds(1)));
    closed = true;
  }
  released = true;
  REQUIRE(test::wait_until([&] { return left_behind.expired(); }));
  CHECK(lines_after_close == 0);
}

TEST_CASE("idle threads end at once, even without any time allowed", "[refiller][threads]") {
  auto clock = std::make_shared<SteadyClock>();
  for (int i = 0; i < 50; ++i) {
    auto refiller =
        std::make_shared<Refiller>(std::make_shared<test::FaultStore>(), clock, LogCallback());
    REQUIRE(refiller->start(4).ok());
    CHECK(refiller->stop(Duration(0)));
  }
}

TEST_CASE("lease durations are counted by their bounds, failed leases included", "[refiller]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  // On a bound, above it, and above all of them.
  for (const auto took : {milliseconds(2), milliseconds(3), milliseconds(6000)}) {
    f.store->on_lease = [&f, took](std::string_view, std::int64_t) {
      f.clock->advance(took);
      return Result<IdRange>(Status(StatusCode::kUnavailable, "down"));
    };
    Fixture::next(tag);
    f.clock->advance(seconds(1));  // past the pause after a failure
    REQUIRE(f.refiller->run_once());
  }
  const LeaseLatency latency = f.refiller->lease_latency();
  CHECK(latency.counts == decltype(latency.counts){0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1});
  CHECK(latency.sum == milliseconds(6005));
}

TEST_CASE("changes are asked for with the first request, and then every 20 s", "[refiller]") {
  std::vector<std::int64_t> asked;
  std::vector<std::int64_t> heard;
  Fixture f;
  std::int64_t version = 7;
  f.store->on_changes = [&](std::int64_t known) -> Result<TagChanges> {
    asked.push_back(known);
    return TagChanges{version, {{"order", 5}}};
  };
  f.refiller->on_changes(
      [&](const Result<TagChanges>& changes) { heard.push_back(changes->limits[0].max_id); });
  TagState& tag = f.add("order", 100);
  CHECK_FALSE(f.refiller->run_once());
  CHECK(Fixture::next(tag) == 0);
  CHECK(f.refiller->run_once());
  CHECK(asked == std::vector<std::int64_t>{-1});  // before the first lease
  CHECK(f.store->leases() == 0);
  while (f.refiller->run_once()) continue;
  CHECK(f.store->leases() == 1);
  CHECK(asked.size() == 1);
  CHECK(*f.refiller->next_due() == f.clock->now() + Refiller::kAskForChangesEvery);
  version = 9;
  for (int i = 0; i < 2; ++i) {
    f.clock->advance(Refiller::kAskForChangesEvery);
    CHECK(f.refiller->run_once());
    CHECK_FALSE(f.refiller->run_once());
  }
  CHECK(asked == std::vector<std::int64_t>{-1, 7, 9});
  CHECK(heard == std::vector<std::int64_t>{5, 5, 5});
}

TEST_CASE("after a lease before the first answer every change is asked for", "[refiller]") {
  std::vector<std::int64_t> asked;
  Fixture f;
  TagState& tag = f.add("order", 100);
  f.refiller->on_changes([](const Result<TagChanges>&) {});
  f.store->on_changes = [&](std::int64_t known) -> Result<TagChanges> {
    asked.push_back(known);
    // The tag is leased by another thread of the refiller, before this answer comes.
    if (known < 0) CHECK(f.refiller->run_once());
    return TagChanges{7, {}};
  };
  CHECK(Fixture::next(tag) == 0);
  while (f.refiller->run_once()) continue;
  CHECK(f.store->leases() == 1);
  CHECK(asked == std::vector<std::int64_t>{-1, 0});
}

TEST_CASE("a question for changes that fails is repeated, and misses none", "[refiller][fault]") {
  std::vector<std::int64_t> asked;
  std::vector<StatusCode> heard;
  Fixture f;
  StatusCode error = StatusCode::kUnavailable;
  f.store->on_changes = [&](std::int64_t known) -> Result<TagChanges> {
    asked.push_back(known);
    return Status(error, "the store went backwards");
  };
  f.refiller->on_changes(
      [&](const Result<TagChanges>& changes) { heard.push_back(changes.status().code()); });
  TagState& tag = f.add("order", 100);
  CHECK(Fixture::next(tag) == 0);
  while (f.refiller->run_once()) continue;
  CHECK(Fixture::next(tag) == 1);  // leases do not depend on it
  CHECK(heard.empty());
  error = StatusCode::kDataLoss;
  f.clock->advance(Refiller::kAskForChangesEvery);
  CHECK(f.refiller->run_once());
  // It has leased before it knew a number, so it asks for all changes.
  CHECK(asked == std::vector<std::int64_t>{-1, 0});
  CHECK(heard == std::vector<StatusCode>{StatusCode::kDataLoss});
  CHECK(f.log == std::vector<std::string>{"the store went backwards"});
}

TEST_CASE("the log says how near a tag is to its end", "[refiller]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  TagChange change;
  change.cap = 110;
  REQUIRE(f.store->update("order", change).ok());
  CHECK(Fixture::next(tag) == 0);
  while (f.refiller->run_once()) continue;
  CHECK(f.log == std::vector<std::string>{"tag 'order' has used 90 % of its cap 110"});
  f.clock->advance(std::chrono::minutes(2));
  for (int i = 0; i < 60; ++i) CHECK(Fixture::next(tag) != 0);
  while (f.refiller->run_once()) continue;
  REQUIRE(f.log.size() >= 2);
  CHECK_THAT(f.log[1], Contains("99 % of its cap 110; at the present rate it ends on 2"));
  while (Fixture::next(tag) != 0) continue;
  while (f.refiller->run_once()) continue;
  CHECK(tag.try_take(1, 1).status().code() == StatusCode::kExhausted);
  CHECK(f.store->find("order")->max_id == 110);
}

TEST_CASE("tags that are too far ahead of their time floors say nothing about others",
          "[refiller][floor][fault]") {
  Fixture f;
  TagChange change;
  change.floor.rate = 1000;
  TagState* const tags[] = {&f.add("order", 100), &f.add("user", 100)};
  for (TagState* const tag : tags) REQUIRE(f.store->update(tag->tag(), change).ok());
  const auto fail_all = [&] {
    for (TagState* const tag : tags) CHECK(Fixture::next(*tag) == 0);
    while (f.refiller->run_once()) continue;
    f.clock->advance(seconds(2));
    while (f.refiller->run_once()) continue;
  };
  f.store->on_lease = [](std::string_view, std::int64_t) {
    return Status(StatusCode::kUnavailable, "too far ahead");
  };
  fail_all();
  CHECK(f.refiller->trouble().ok());
  CHECK(f.store->finds() >= 4);  // the row says how far
  f.store->on_find = [](std::string_view) {
    return Status(StatusCode::kUnavailable, "the store is down");
  };
  fail_all();
  CHECK(f.refiller->trouble().code() == StatusCode::kUnavailable);
}

TEST_CASE("an idle tag with a time floor is swept", "[refiller][floor]") {
  Fixture f;
  TagState& tag = f.add("order", 100);
  TagChange change;
  change.floor.rate = 1000;
  REQUIRE(f.store->update("order", change).ok());
  CHECK(Fixture::next(tag) == 0);
  CHECK(f.refiller->run_once());
  CHECK(tag.holds_ids());
  CHECK_FALSE(f.refiller->run_once());
  CHECK(f.refiller->next_due() == f.clock->now() + seconds(60));
  f.clock->advance(seconds(60));
  CHECK(f.refiller->run_once());
  CHECK_FALSE(tag.holds_ids());
  CHECK_FALSE(f.refiller->next_due());
}

}  // namespace featherid
