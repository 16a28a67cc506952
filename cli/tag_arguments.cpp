// SPDX-License-Identifier: MIT
#include "cli/tag_arguments.h"

#include <charconv>

#include "cli/context.h"
#include "lib/store/period_rules.h"
#include "lib/store/time_floor_rules.h"
#include "server/config/values.h"
#include "server/store/cap.h"
#include "server/store/order.h"

namespace featherid {

namespace {

// What was given of a time floor.
Result<TimeFloorChange> read_floor(const TagArguments& given) {
  TimeFloorChange change;
  const struct {
    const char* flag;
    const std::optional<std::string>& text;
    const char* min;
    const char* max;
    std::optional<std::int64_t>* number;
  } numbers[] = {{"--floor-rate", given.floor_rate, "1", "1000000", &change.rate},
                 {"--floor-epoch", given.floor_epoch, "0", "253402300799", &change.epoch_s},
                 {"--floor-lead-max", given.floor_lead_max, "1", "86400", &change.lead_max_s}};
  for (const auto& each : numbers) {
    if (!each.text) continue;
    const Result<std::int64_t> number = parse_number(*each.text, each.min, each.max);
    if (!number.ok()) return invalid(std::string(each.flag) + ": " + number.status().message());
    *each.number = *number;
  }
  if (const auto& text = given.floor_only_warns) {
    if (*text != "yes" && *text != "no") return invalid("--floor-only-warns: use yes or no");
    change.lead_only_warns = *text == "yes";
  }
  return change;
}

}  // namespace

void add_tag_options(CLI::App* command, const Arguments& given) {
  command->add_option("--step", given->step, "base size of a lease, in ids (new tags: 1000)")
      ->type_name("N");
  command
      ->add_option(
          "--cap", given->cap,
          "its last id: int32, 2^53, a number of digits such as 12digits, a number, or none")
      ->type_name("CAP");
  command
      ->add_option("--order", given->order,
                   "plain, or strict: a call that starts after another has ended gets a larger id, "
                   "no matter in which process; each call then waits for the database")
      ->type_name("ORDER");
  command
      ->add_option("--format", given->format,
                   "how a server writes its ids with as=text, such as \"INV-{id width=8}\"; empty: "
                   "in decimal")
      ->type_name("PATTERN");
  command
      ->add_option("--scramble", given->scramble,
                   "the domain in which a server scrambles its ids before it writes them, such as "
                   "9digits or 40bits; empty: ids are not scrambled")
      ->type_name("DOMAIN");
  command->add_option("--description", given->description, "what its ids are for")
      ->type_name("TEXT");
  command->add_option("--owner", given->owner, "who to ask about it")->type_name("TEXT");
  command
      ->add_option("--floor-rate", given->floor_rate,
                   "time floor: ids per second, 1 to 1000000; it may only rise")
      ->type_name("N");
  command
      ->add_option("--floor-epoch", given->floor_epoch,
                   "when the floor was 0, in Unix time; it may only move earlier (default: 0)")
      ->type_name("SECONDS");
  command
      ->add_option("--floor-lead-max", given->floor_lead_max,
                   "how far leases may be ahead of the floor (default: 10)")
      ->type_name("SECONDS");
  command
      ->add_option("--floor-only-warns", given->floor_only_warns,
                   "yes: leases may be further ahead, after a warning (default: no)")
      ->type_name("YES|NO");
}

Result<std::int64_t> read_id(const TagArguments& given) {
  Result<std::int64_t> id = parse_number(given.id, "0", "9223372036854775806");
  return id.ok() ? id : Result<std::int64_t>(invalid("ID: " + id.status().message()));
}

Result<PeriodRule> read_period(const TagArguments& given) {
  const Result<PeriodKind> kind = parse_period_kind(given.period);
  if (!kind.ok()) return invalid("--period: " + kind.status().message());
  PeriodRule rule{*kind, 0};
  const char* const end = given.period_offset.data() + given.period_offset.size();
  const auto [stop, error] = std::from_chars(given.period_offset.data(), end, rule.offset_minutes);
  const bool in_range = rule.offset_minutes >= -kPeriodOffsetMinutesMax &&
                        rule.offset_minutes <= kPeriodOffsetMinutesMax;
  if (error == std::errc() && stop == end && in_range) return rule;
  return invalid("--period-offset: use a number of minutes from -840 to 840");
}

Result<TagChange> read_change(const TagArguments& given) {
  TagChange change;
  if (given.step) {
    const Result<std::int64_t> step = parse_number(*given.step, "1", "2147483647");
    if (!step.ok()) return invalid("--step: " + step.status().message());
    change.step = *step;
  }
  if (given.cap) {
    const Result<std::int64_t> cap = parse_cap(*given.cap);
    if (!cap.ok()) return invalid("--cap: " + cap.status().message());
    change.cap = *cap;
  }
  if (given.order) {
    const Result<TagOrder> order = parse_order(*given.order);
    if (!order.ok()) return invalid("--order: " + order.status().message());
    change.order = *order;
  }
  change.format = given.format;
  change.scramble = given.scramble;
  change.description = given.description;
  change.owner = given.owner;
  const Result<TimeFloorChange> floor = read_floor(given);
  if (!floor.ok()) return floor.status();
  change.floor = *floor;
  return change;
}

}  // namespace featherid
