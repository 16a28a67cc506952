// SPDX-License-Identifier: MIT
// One thread and a manual clock: every run is the same, and every id is accounted for.
#include <memory>
#include <optional>
#include <string>

#include "lib/base/call_store.h"
#include "lib/segment/refiller.h"
#include "lib/segment/tag_state.h"
#include "test/proof/faults/scenario.h"
#include "test/support/manual_clock.h"

namespace featherid::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TagStateOptions kOptions{
    milliseconds(500), {seconds(30), 10000000}, milliseconds(20), seconds(1), milliseconds(100)};

constexpr std::int64_t kStep = 10;

// More than any lease of this scenario.
constexpr std::int64_t kLeaseIds = 800;

// One tag of one process, driven by hand.
class Process {
 public:
  Process(std::shared_ptr<FaultStore> store, Ledger& ledger)
      : store_(std::move(store)), ledger_(ledger) {}

  // False if there is no memory for it.
  bool start() {
    return attempt([&] {
             if (!refiller_) {
               refiller_ = std::make_shared<Refiller>(
                   store_, clock_,
                   [](LogLevel, std::string_view line) { static_cast<void>(std::string(line)); });
             }
             if (!tag_)
               tag_ = std::make_shared<TagState>("order", kOptions, clock_, refiller_.get());
           }) &&
           tag_;
  }

  // Whether it got them.
  bool take(std::int64_t least, std::int64_t most) {
    bool taken = false;
    attempt([&] {
      const Result<std::vector<IdRange>> ranges = tag_->try_take(least, most);
      taken = ranges.ok();
      if (!taken) return;
      for (const IdRange range : *ranges) ledger_.note("order", range);
    });
    return taken;
  }

  // Consecutive ids. Those that are held below them are given up.
  void take_consecutive(std::int64_t count_ids) {
    const std::int64_t known_before = known_ids();
    attempt([&] {
      const Result<std::vector<IdRange>> ranges =
          tag_->try_take(count_ids, count_ids, Shape::kOneRange);
      if (!ranges.ok()) return;
      REQUIRE(ranges->size() == 1);
      REQUIRE(ranges->front().size() == count_ids);
      ledger_.note("order", ranges->front());
      given_up_ids_ += known_before - known_ids();
    });
  }

  void park(std::int64_t count_ids) {
    attempt([&] {
      tag_->take_async(count_ids, milliseconds(300), [this](const auto& ids) {
        ++heard_;
        if (!ids.ok()) return;
        for (const IdRange range : *ids) ledger_.note("order", range);
      });
      ++registered_;
    });
  }

  void pass(Duration time) {
    clock_->advance(time);
    while (refiller_->run_once()) continue;
  }

  // Another process leases meanwhile.
  void lease_elsewhere() {
    const Uncounted own;
    REQUIRE(store_->memory().lease("order", 10).ok());
    elsewhere_ids_ += 10;
  }

  // Leased ids are issued or held. Missing ids were lost to the fault.
  void check_counts(const Strike& strike) const {
    const Uncounted own;
    const TagSnapshot now = tag_->snapshot();
    if (now.error.code() == StatusCode::kDataLoss) return;
    const std::int64_t leased_ids = store_->memory().find("order")->max_id - elsewhere_ids_;
    const std::int64_t lost_ids = leased_ids - now.issued_ids - now.held_ids - given_up_ids_;
    INFO("leased " << leased_ids << ", issued " << now.issued_ids << ", held " << now.held_ids);
    REQUIRE(lost_ids >= 0);
    REQUIRE(now.held_ids >= 0);
    if (!strike.fault.counter->reached()) REQUIRE(lost_ids == 0);
    if (!strike.persistent) REQUIRE(lost_ids <= kLeaseIds);
  }

  // Nobody waits now, so after quiet hours at most a step is leased. A leaked count of waiting ids
  // would lease more.
  void check_idle() {
    const Uncounted own;
    pass(seconds(1));
    pass(seconds(1));
    REQUIRE(heard_ == registered_);
    const int leases = store_->leases();
    pass(std::chrono::hours(1));
    REQUIRE(store_->leases() == leases);
    if (error().code() == StatusCode::kDataLoss) return;
    // An hour whose lease fails says nothing about the burn rate, and neither does the next one.
    for (int hour = 0; hour < 5; ++hour) {
      take_all();
      REQUIRE_FALSE(take(1, 1));  // the held ids were all there were
      pass(seconds(1));           // the lease comes, and then an idle hour passes
      pass(std::chrono::hours(1));
    }
    REQUIRE(held_ids() <= 2 * kStep);
  }

  Status error() const { return tag_->snapshot().error; }
  std::int64_t given_up_ids() const { return given_up_ids_; }
  std::int64_t held_ids() const { return tag_->snapshot().held_ids; }

  void take_all() {
    if (const std::int64_t held = held_ids(); held > 0) take(held, held);
  }

  void leave(std::int64_t count_ids) {
    if (const std::int64_t rest = held_ids() - count_ids; rest > 0) take(rest, rest);
  }

  // Makes the stock hold one range more, which does not adjoin the others.
  void grow_stock() {
    lease_elsewhere();
    REQUIRE_FALSE(take(held_ids() + 1, held_ids() + 1));
    pass(milliseconds(400));
  }

  void shut_down() {
    tag_->close();
    const bool stopped = refiller_->stop(Duration(0));
    const IdRange tail = tag_->take_tail();
    if (!tail.empty()) {
      static_cast<void>(call_store<bool>([&] { return store_->give_back("order", tail); }));
    }
    const Uncounted own;
    REQUIRE(stopped);
    REQUIRE(heard_ == registered_);
  }

 private:
  // Issued or held.
  std::int64_t known_ids() const {
    const Uncounted own;
    const TagSnapshot now = tag_->snapshot();
    return now.issued_ids + now.held_ids;
  }

  std::shared_ptr<FaultStore> store_;
  Ledger& ledger_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<Refiller> refiller_;
  std::shared_ptr<TagState> tag_;
  std::int64_t elsewhere_ids_ = 0;
  std::int64_t given_up_ids_ = 0;
  int registered_ = 0;
  int heard_ = 0;
};

// 10 s of back-off at most, in steps of 100 ms.
void check_serving(Process& process, bool may_be_stopped) {
  bool serves = false;
  for (int tick = 0; tick < 100 && !serves; ++tick) {
    serves =
        process.take(1, 1) || (may_be_stopped && process.error().code() == StatusCode::kDataLoss);
    process.pass(milliseconds(100));
  }
  const Uncounted own;
  INFO("the last error: " << process.error());
  REQUIRE(serves);
}

void run(const Strike& strike) {
  auto store = store_with(strike.fault);
  Ledger ledger;
  Process process(store, ledger);
  strike.arm();
  if (!process.start()) {
    strike.disarm_persistent();
    REQUIRE(process.start());
  }
  for (int round = 0; round < 4; ++round) {
    process.take(1, 1);
    process.pass(milliseconds(100));
    process.take(1, 4);
    process.park(40);
    process.take(25, 25);
    process.check_counts(strike);
    process.pass(milliseconds(100));
    process.lease_elsewhere();
    process.pass(milliseconds(400));
    process.check_counts(strike);
  }
  process.leave(3);
  process.lease_elsewhere();
  process.pass(milliseconds(400));
  process.take_consecutive(7);
  process.check_counts(strike);
  process.pass(milliseconds(400));
  if (!strike.fault.counter->reached()) REQUIRE(process.given_up_ids() > 0);
  for (int ranges = 0; ranges < 40; ++ranges) process.grow_stock();
  process.take_all();
  process.check_counts(strike);
  strike.disarm_persistent();
  check_serving(process, strike.fault.may_stop_a_tag);
  process.check_counts(strike);
  process.check_idle();
  process.shut_down();
  strike.disarm();
  Process next_process(store, ledger);
  REQUIRE(next_process.start());
  check_serving(next_process, false);
  next_process.shut_down();
  ledger.check("order", store->memory().find("order")->max_id);
}

}  // namespace

TEST_CASE("a tag driven by hand serves after a fault at any call", "[faults]") {
  for (const Fault& fault : memory_and_store_faults()) {
    fail_at_every_call("serving by hand", fault, run);
  }
}

}  // namespace featherid::test
