// SPDX-License-Identifier: MIT
#include "cli/tag_commands.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "cli/tag_arguments.h"
#include "cli/tag_output.h"
#include "lib/store/period_rules.h"
#include "lib/store/store_arguments.h"
#include "lib/store/time_floor_rules.h"
#include "server/config/values.h"
#include "server/store/wait_for_database.h"

namespace featherid {

namespace {

constexpr std::int64_t kStepByDefault = 1000;

std::string named(const std::string& tag) { return "tag '" + tag + "'"; }

// --- the commands ---

Status init(Context& context) {
  const Config& config = context.config();
  if (Status refused = context.require_database("init"); !refused.ok()) return refused;
  std::string exists;
  StoreOptions options = config.store;
  options.log_risks = true;
  const auto try_init = [&] {
    const Result<std::string> made = init_store(options);
    if (made.ok()) exists = *made;
    return made.status();
  };
  Status status = wait_for_database(try_init, config.wait_for_database,
                                    [&context](const std::string& text) { context.warn(text); });
  if (!status.ok()) return status;
  const std::string database = redacted(config.store.addresses);
  context.out().say(exists + " (" + database + ")", {{"database", database}, {"result", exists}});
  return {};
}

Status next(Context& context, const Arguments& given) {
  const Result<std::int64_t> count =
      parse_number(given->count, "1", std::to_string(kRangeIdsMax).c_str());
  if (!count.ok()) return invalid("-n: " + count.status().message());
  const Result<PeriodRanges> taken = context.take(given->tag, *count);
  if (!taken.ok()) return taken.status();
  const std::string period = to_string(taken->period);
  std::vector<Value> ids;
  for (const IdRange& range : taken->ranges) {
    for (std::int64_t id = range.first; id < range.end; ++id) {
      if (context.out().json()) {
        ids.emplace_back(id);
      } else {
        context.out().line(std::to_string(id) + (period.empty() ? "" : " " + period));
      }
    }
  }
  if (!context.out().json()) return {};
  Record record = {{"tag", given->tag}, {"ids", Value::list(ids)}};
  if (!period.empty()) record.emplace_back("period", period);
  context.out().show(record);
  return {};
}

Status tags(Context& context, const Arguments& given) {
  const Result<TagAdmin*> admin = context.tags();
  if (!admin.ok()) return admin.status();
  TagQuery query;
  query.prefix = given->prefix;
  const Result<std::vector<TagInfo>> rows = (*admin)->list(query);
  if (!rows.ok()) return rows.status();
  std::vector<Record> records;
  for (const TagInfo& row : *rows) records.push_back(summary_of(row));
  context.out().list(records, "no tags");
  return {};
}

// The tag that a command is about, and who administers it.
struct Found {
  TagAdmin* admin;
  TagInfo row;
};
Result<Found> find_tag(Context& context, const Arguments& given) {
  const Result<TagAdmin*> admin = context.tags();
  if (!admin.ok()) return admin.status();
  Result<TagInfo> row = (*admin)->info(given->tag);
  if (!row.ok()) return row.status();
  return Found{*admin, *std::move(row)};
}

Status show(Context& context, const Arguments& given) {
  const Result<Found> found = find_tag(context, given);
  if (found.ok()) context.out().show(record_of(found->row));
  return found.status();
}

// Without a tag: for all tags whose floor tells.
Status when(Context& context, const Arguments& given) {
  const Result<std::int64_t> id = read_id(*given);
  if (!id.ok()) return id.status();
  if (!given->tag.empty()) {
    const Result<Found> found = find_tag(context, given);
    if (!found.ok()) return found.status();
    const Result<LeaseTime> time = lease_time_of(found->row, *id);
    if (!time.ok()) return time.status();
    const Record record = lease_time_record(given->tag, *id, *time);
    context.out().say("id " + given->id + " of " + named(given->tag) + " was leased between " +
                          record[2].second.text + " and " + record[3].second.text,
                      record);
    return {};
  }
  const Result<TagAdmin*> admin = context.tags();
  if (!admin.ok()) return admin.status();
  const Result<std::vector<TagInfo>> rows = (*admin)->list();
  if (!rows.ok()) return rows.status();
  std::vector<Record> records;
  for (const TagInfo& row : *rows) {
    const Result<LeaseTime> time = lease_time_of(row, *id);
    if (time.ok()) records.push_back(lease_time_record(row.tag, *id, *time));
  }
  context.out().list(records, "no tag with a time floor has leased id " + given->id);
  return {};
}

Status create(Context& context, const Arguments& given) {
  const Result<TagChange> wanted = read_change(*given);
  if (!wanted.ok()) return wanted.status();
  NewTag made(wanted->step.value_or(kStepByDefault));
  made.options.cap = wanted->cap.value_or(kIdMax);
  made.options.order = wanted->order.value_or(TagOrder::kPlain);
  made.options.format = wanted->format.value_or("");
  made.options.scramble = wanted->scramble.value_or("");
  made.options.description = wanted->description.value_or("");
  made.options.owner = wanted->owner.value_or("");
  const Result<TimeFloor> floor = new_floor(wanted->floor);
  if (!floor.ok()) return floor.status();
  made.options.floor = *floor;
  const Result<PeriodRule> period = read_period(*given);
  if (!period.ok()) return period.status();
  made.options.period = *period;
  made.by = context.person();
  const Result<TagAdmin*> admin = context.tags();
  if (!admin.ok()) return admin.status();
  // Asked first: a server that already has such a tag answers as if it had created it now.
  if ((*admin)->info(given->tag).ok()) {
    return {StatusCode::kAlreadyExists, named(given->tag) + " already exists"};
  }
  if (Status status = (*admin)->create(given->tag, made); !status.ok()) return status;
  const Result<TagInfo> row = (*admin)->info(given->tag);
  if (!row.ok()) return row.status();
  const std::string ids =
      row->floor.is_set() ? "its ids follow the clock"
      : row->period.is_set()
          ? std::string("its ids start at 1 in each ") + period_word(row->period.kind)
          : "its ids start at " + std::to_string(row->max_id + 1);
  context.out().say(named(given->tag) + " is created; " + ids, record_of(*row));
  return {};
}

Status set(Context& context, const Arguments& given) {
  Result<TagChange> change = read_change(*given);
  if (!change.ok()) return change.status();
  if (!change->step && is_plain(*change)) {
    return invalid(
        "nothing to set; give --step, --cap, --order, --format, --scramble, --floor-rate, "
        "--description or --owner");
  }
  change->by = context.person();
  const Result<TagAdmin*> admin = context.tags();
  if (!admin.ok()) return admin.status();
  if (Status status = (*admin)->update(given->tag, *change); !status.ok()) return status;
  const Result<TagInfo> row = (*admin)->info(given->tag);
  if (!row.ok()) return row.status();
  context.out().say(named(given->tag) + " is changed; servers use it within a minute",
                    record_of(*row));
  return {};
}

Status remove(Context& context, const Arguments& given) {
  const Result<Found> found = find_tag(context, given);
  if (!found.ok()) return found.status();
  const std::string at = std::to_string(found->row.max_id);
  const std::string what = named(given->tag) + " is at " + at +
                           "; processes stop serving it within a minute, and older versions of "
                           "FeatherID when they lease again";
  if (Status status = context.confirm(given->tag, what, given->yes); !status.ok()) return status;
  if (Status status = found->admin->remove(given->tag, context.person()); !status.ok())
    return status;
  context.out().say(named(given->tag) + " is deleted; it was at " + at,
                    {{"tag", given->tag}, {"max_id_before", found->row.max_id}});
  return {};
}

Status advance(Context& context, const Arguments& given) {
  const Result<std::int64_t> id = read_id(*given);
  if (!id.ok()) return id.status();
  const Result<Found> found = find_tag(context, given);
  if (!found.ok()) return found.status();
  const bool moves = found->row.max_id < *id;
  if (moves) {
    Status status = found->admin->advance(given->tag, *id, context.person());
    if (!status.ok()) return status;
  }
  const std::int64_t after = std::max(found->row.max_id, *id);
  context.out().say(
      moves ? named(given->tag) + " was at " + std::to_string(found->row.max_id) + " and is at " +
                  std::to_string(after) + " now"
            : named(given->tag) + " is at " + std::to_string(after) + ", so nothing was changed",
      {{"tag", given->tag}, {"max_id_before", found->row.max_id}, {"max_id", after}});
  return {};
}

Status rewind(Context& context, const Arguments& given) {
  const Result<std::int64_t> id = read_id(*given);
  if (!id.ok()) return id.status();
  const Result<Found> found = find_tag(context, given);
  if (!found.ok()) return found.status();
  const std::string at = std::to_string(found->row.max_id);
  if (found->row.max_id <= *id) {
    return invalid(named(given->tag) + " is at " + at +
                   "; give a lower ID or, to move it forward, use: featherid advance");
  }
  const std::string what = named(given->tag) + " moves back from " + at + " to " +
                           std::to_string(*id) +
                           ": those ids will be issued again; no process may be using the tag";
  if (Status status = context.confirm(given->tag, what, given->yes); !status.ok()) return status;
  const Result<bool> moved =
      found->admin->rewind(given->tag, found->row.max_id, *id, context.person());
  if (!moved.ok()) return moved.status();
  if (!*moved) {
    return {StatusCode::kUnavailable, "a process leased from " + named(given->tag) +
                                          " in the meantime; stop every process first"};
  }
  context.out().say(named(given->tag) + " was at " + at + " and is at " + std::to_string(*id) +
                        " now; restart every process",
                    {{"tag", given->tag}, {"max_id_before", found->row.max_id}, {"max_id", *id}});
  return {};
}

// --- their options ---

// A command about one tag.
CLI::App* add_tag_command(CommandLine& line, CLI::App* parent, const Arguments& given,
                          const char* name, const char* help,
                          Status (*action)(Context&, const Arguments&)) {
  CLI::App* const command =
      line.add(parent, name, help, [=](Context& context) { return action(context, given); });
  command->add_option("TAG", given->tag, "the name of the tag")->required()->type_name("");
  return command;
}

void add_id(CLI::App* command, const Arguments& given, const char* help) {
  command->add_option("ID", given->id, help)->required()->type_name("");
}

void add_yes(CLI::App* command, const Arguments& given) {
  command->add_flag("--yes", given->yes, "do not ask to type the name of the tag again");
}

}  // namespace

void add_tag_commands(CommandLine& line) {
  const auto given = std::make_shared<TagArguments>();
  line.add("init", "create missing tables and the first tags; change nothing that exists", init);

  CLI::App* command =
      add_tag_command(line, &line.app, given, "next", "lease ids and print them", next);
  command->add_option("-n", given->count, "how many")->type_name("N")->default_str("1");

  command =
      line.add("tags", "list the tags", [given](Context& context) { return tags(context, given); });
  command->add_option("PREFIX", given->prefix, "only tags that begin with this")->type_name("");

  command = line.add(&line.app, "when", "say when an id was leased, by the time floor of its tag",
                     [given](Context& context) { return when(context, given); });
  add_id(command, given, "the id");
  command->add_option("TAG", given->tag, "the name of its tag; none: every tag with a time floor")
      ->type_name("");

  CLI::App* const tag = line.add_group("tag", "show, create, change or delete a tag");
  add_tag_command(line, tag, given, "show", "show a tag", show);
  command = add_tag_command(
      line, tag, given, "create",
      "create a tag; its ids start at 1, or past those of a deleted tag of that name", create);
  add_tag_options(command, given);
  command
      ->add_option("--period", given->period,
                   "its ids restart at 1 in each day, month or year; this cannot be changed later")
      ->type_name("none|day|month|year")
      ->default_str("none");
  command
      ->add_option("--period-offset", given->period_offset,
                   "midnight's offset from UTC, such as 60 for one hour east of Greenwich")
      ->type_name("MINUTES")
      ->default_str("0");
  command = add_tag_command(line, tag, given, "set", "change a tag", set);
  add_tag_options(command, given);
  command = add_tag_command(line, tag, given, "delete",
                            "delete a tag; processes stop serving it within a minute", remove);
  add_yes(command, given);

  command = add_tag_command(line, &line.app, given, "advance",
                            "move a tag past an id, so that no later lease contains it", advance);
  add_id(command, given, "the id");
  command = add_tag_command(line, &line.app, given, "rewind",
                            "move a tag back, so that ids are issued again", rewind);
  add_id(command, given, "the new max_id of the tag: its next id is one more");
  add_yes(command, given);
}

}  // namespace featherid
