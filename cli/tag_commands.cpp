// SPDX-License-Identifier: MIT
#include "cli/tag_commands.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "server/config/values.h"
#include "server/store/wait_for_database.h"

namespace featherid {

namespace {

// What the commands are given. Each uses some of it.
struct TagArguments {
  std::string tag;
  std::string id;
  std::string count = "1";
  std::string step = "1000";
  std::string prefix;
  bool yes = false;
};
using Arguments = std::shared_ptr<TagArguments>;

Result<std::int64_t> read_id(const Arguments& given) {
  Result<std::int64_t> id = parse_number(given->id, "0", "9223372036854775806");
  return id.ok() ? id : Result<std::int64_t>(invalid("ID: " + id.status().message()));
}

Result<std::int64_t> read_step(const Arguments& given) {
  Result<std::int64_t> step = parse_number(given->step, "1", "2147483647");
  return step.ok() ? step : Result<std::int64_t>(invalid("--step: " + step.status().message()));
}

Value share_of(std::int64_t max_id, double whole) {
  const double id = static_cast<double>(std::max<std::int64_t>(0, max_id));
  return Value::fraction(id / whole, percent_text(id, whole));
}

Record record_of(const SegmentRow& row) {
  return {{"tag", row.tag},
          {"max_id", row.max_id},
          {"step", row.step},
          {"of_int32", share_of(row.max_id, 0x1p31)},
          {"of_2^53", share_of(row.max_id, 0x1p53)}};
}

std::string named(const std::string& tag) { return "tag '" + tag + "'"; }

// --- the commands ---

Status init(Context& context) {
  const Config& config = context.config();
  std::string exists;
  const auto try_init = [&] {
    const Result<std::string> made = init_store(config.store);
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

// Leases just what it prints, so that nothing is left over.
Status next(Context& context, const Arguments& given) {
  const Result<std::int64_t> count =
      parse_number(given->count, "1", std::to_string(kRangeIdsMax).c_str());
  if (!count.ok()) return invalid("-n: " + count.status().message());
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  const Result<IdRange> range = (*store)->lease(given->tag, *count);
  if (!range.ok()) return range.status();
  std::vector<Value> ids;
  for (std::int64_t id = range->first; id < range->end; ++id) {
    if (context.out().json()) {
      ids.emplace_back(id);
    } else {
      context.out().line(std::to_string(id));
    }
  }
  if (context.out().json()) context.out().show({{"tag", given->tag}, {"ids", Value::list(ids)}});
  return {};
}

Status tags(Context& context, const Arguments& given) {
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  const Result<std::vector<TagInfo>> rows = (*store)->list();
  if (!rows.ok()) return rows.status();
  std::vector<Record> records;
  for (const SegmentRow& row : *rows) {
    if (row.tag.rfind(given->prefix, 0) == 0) records.push_back(record_of(row));
  }
  context.out().list(records, "no tags");
  return {};
}

Status show(Context& context, const Arguments& given) {
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  const Result<SegmentRow> row = (*store)->find(given->tag);
  if (row.ok()) context.out().show(record_of(*row));
  return row.status();
}

Status create(Context& context, const Arguments& given) {
  const Result<std::int64_t> step = read_step(given);
  if (!step.ok()) return step.status();
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  Status status = (*store)->create(given->tag, *step);
  if (status.code() == StatusCode::kAlreadyExists && (*store)->find(given->tag).ok()) {
    return {status.code(), named(given->tag) + " already exists"};  // in fewer words
  }
  if (!status.ok()) return status;
  context.out().say(named(given->tag) + " is created; its ids start at 1",
                    {{"tag", given->tag}, {"max_id", std::int64_t{0}}, {"step", *step}});
  return {};
}

Status set(Context& context, const Arguments& given) {
  const Result<std::int64_t> step = read_step(given);
  if (!step.ok()) return step.status();
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  const Result<SegmentRow> before = (*store)->find(given->tag);
  if (!before.ok()) return before.status();
  if (Status status = (*store)->update(given->tag, *step); !status.ok()) return status;
  context.out().say(named(given->tag) + " had step " + std::to_string(before->step) + " and has " +
                        std::to_string(*step) + " now; servers use it within a minute",
                    {{"tag", given->tag}, {"step_before", before->step}, {"step", *step}});
  return {};
}

Status remove(Context& context, const Arguments& given) {
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  const Result<SegmentRow> row = (*store)->find(given->tag);
  if (!row.ok()) return row.status();
  const std::string at = std::to_string(row->max_id);
  const std::string what = named(given->tag) + " is at " + at +
                           "; no process may be using it, and if it is created again, its ids "
                           "start at 1 again";
  if (Status status = context.confirm(given->tag, what, given->yes); !status.ok()) return status;
  if (Status status = (*store)->remove(given->tag); !status.ok()) return status;
  context.out().say(named(given->tag) + " is deleted; it was at " + at,
                    {{"tag", given->tag}, {"max_id_before", row->max_id}});
  return {};
}

Status advance(Context& context, const Arguments& given) {
  const Result<std::int64_t> id = read_id(given);
  if (!id.ok()) return id.status();
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  const Result<SegmentRow> before = (*store)->find(given->tag);
  if (!before.ok()) return before.status();
  const bool moves = before->max_id < *id;
  if (moves) {
    if (Status status = (*store)->advance(given->tag, *id); !status.ok()) return status;
  }
  const std::int64_t after = std::max(before->max_id, *id);
  context.out().say(
      moves ? named(given->tag) + " was at " + std::to_string(before->max_id) + " and is at " +
                  std::to_string(after) + " now"
            : named(given->tag) + " is at " + std::to_string(after) + ", so nothing was changed",
      {{"tag", given->tag}, {"max_id_before", before->max_id}, {"max_id", after}});
  return {};
}

Status rewind(Context& context, const Arguments& given) {
  const Result<std::int64_t> id = read_id(given);
  if (!id.ok()) return id.status();
  const Result<Store*> store = context.store();
  if (!store.ok()) return store.status();
  const Result<SegmentRow> before = (*store)->find(given->tag);
  if (!before.ok()) return before.status();
  const std::string at = std::to_string(before->max_id);
  if (before->max_id <= *id) {
    return invalid(named(given->tag) + " is at " + at + ", so " + std::to_string(*id) +
                   " is not back; to move it forward: featherid advance");
  }
  const std::string what = named(given->tag) + " moves back from " + at + " to " +
                           std::to_string(*id) +
                           ": those ids will be issued again; no process may be using the tag";
  if (Status status = context.confirm(given->tag, what, given->yes); !status.ok()) return status;
  const Result<bool> moved = (*store)->rewind(given->tag, before->max_id, *id);
  if (!moved.ok()) return moved.status();
  if (!*moved) {
    return {StatusCode::kUnavailable, "a process leased from " + named(given->tag) +
                                          " in the meantime; stop every process first"};
  }
  context.out().say(named(given->tag) + " was at " + at + " and is at " + std::to_string(*id) +
                        " now; restart every process",
                    {{"tag", given->tag}, {"max_id_before", before->max_id}, {"max_id", *id}});
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

void add_step(CLI::App* command, const Arguments& given, bool required) {
  CLI::Option* const step =
      command->add_option("--step", given->step, "base size of a lease, in ids")->type_name("N");
  if (required) {
    step->required();
  } else {
    step->default_str(given->step);
  }
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

  CLI::App* const tag = line.add_group("tag", "show, create, change or delete a tag");
  add_tag_command(line, tag, given, "show", "show a tag", show);
  command = add_tag_command(line, tag, given, "create", "create a tag; its ids start at 1", create);
  add_step(command, given, false);
  command = add_tag_command(line, tag, given, "set", "change a tag", set);
  add_step(command, given, true);
  command =
      add_tag_command(line, tag, given, "delete", "delete a tag that no process uses", remove);
  add_yes(command, given);

  command = add_tag_command(line, &line.app, given, "advance",
                            "move a tag past an id, so that no later lease holds it", advance);
  add_id(command, given, "the id");
  command = add_tag_command(line, &line.app, given, "rewind",
                            "move a tag back, so that ids are issued again", rewind);
  add_id(command, given, "where the tag will be: its next id is one more");
  add_yes(command, given);
}

}  // namespace featherid
