// SPDX-License-Identifier: MIT
#include "cli/import.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "server/config/values.h"
#include "server/store/counters.h"

namespace featherid {

namespace {

constexpr std::int64_t kStepByDefault = 1000;

struct ImportArguments {
  std::string from;
  std::string table;
  std::string column;
  std::string tag;
  std::string id;
  std::string only;
  std::string prefix;
  bool dry_run = false;
};
using Arguments = std::shared_ptr<ImportArguments>;

// What will happen to one tag.
struct Move {
  std::string source;
  std::string tag;
  std::int64_t before = 0;
  std::int64_t after = 0;
  std::int64_t step = 0;
  bool create = false;
};

Record record_of(const Move& move) {
  const bool stays = !move.create && move.before == move.after;
  return {{"source", move.source},
          {"tag", move.tag},
          {"max_id_before", move.create ? Value::none() : Value(move.before)},
          {"max_id", move.after},
          {"action", move.create ? "create"
                     : stays     ? "none"
                                 : "advance"}};
}

// One move for each counter. Refuses all if one is not possible.
Result<std::vector<Move>> plan(TagAdmin& tags, const std::vector<Counter>& counters,
                               const Arguments& given) {
  Result<std::vector<TagInfo>> rows = tags.list();
  if (!rows.ok()) return rows.status();
  std::map<std::string, std::int64_t> max_ids;
  for (const TagInfo& row : *rows) max_ids[row.tag] = row.max_id;
  std::vector<Move> moves;
  for (const Counter& counter : counters) {
    if (!given->only.empty() && counter.name != given->only) continue;
    Move move;
    move.source = counter.name;
    move.tag = given->tag.empty() ? given->prefix + counter.name : given->tag;
    const std::string where = "'" + counter.name + "': ";
    if (Status bad = validate_tag(move.tag); !bad.ok()) {
      return Status(bad.code(), where + bad.message() + "; import the others with --only NAME");
    }
    if (counter.last_id < 0 || counter.last_id > kIdMax) {
      return Status(StatusCode::kFailedPrecondition,
                    where + std::to_string(counter.last_id) + " is not an id of FeatherID");
    }
    const auto row = max_ids.find(move.tag);
    move.create = row == max_ids.end();
    move.before = move.create ? 0 : row->second;
    move.after = std::max(move.before, counter.last_id);
    move.step = counter.step > 0 && counter.step <= kStepMax ? counter.step : kStepByDefault;
    moves.push_back(std::move(move));
  }
  return moves;
}

Status make(TagAdmin& tags, const Move& move, const std::string& by) {
  if (move.create) {
    NewTag made(move.step);
    made.max_id = move.after;
    made.by = by;
    Status created = tags.create(move.tag, made);
    if (created.code() != StatusCode::kAlreadyExists) return created;
  }
  return tags.advance(move.tag, move.after, by);
}

Status move_past(Context& context, const std::vector<Counter>& counters, const Arguments& given) {
  const Result<TagAdmin*> tags = context.tags();
  if (!tags.ok()) return tags.status();
  const Result<std::vector<Move>> moves = plan(**tags, counters, given);
  if (!moves.ok()) return moves.status();
  if (moves->empty() && !given->only.empty()) {
    return {StatusCode::kNotFound, "there is no '" + given->only + "' to import"};
  }
  std::vector<Record> records;
  for (const Move& move : *moves) {
    Move done = move;
    if (!given->dry_run) {
      if (Status status = make(**tags, move, context.person()); !status.ok()) {
        context.out().list(records, "nothing was changed");
        return status;
      }
      // A removed tag starts past its old ids, which may be further.
      if (const Result<TagInfo> row = (*tags)->info(move.tag); row.ok()) done.after = row->max_id;
    }
    records.push_back(record_of(done));
  }
  context.out().list(records, "there is nothing to import");
  if (given->dry_run) context.out().line("(--dry-run: nothing was changed)");
  return {};
}

// The database to read from: --from, or the one of the ids.
Result<StoreOptions> source_of(Context& context, const Arguments& given) {
  StoreOptions options = context.config().store;
  options.log = nullptr;  // about settings that do not matter for reading
  if (given->from.empty()) {
    Status refused = context.require_database("import without --from");
    if (!refused.ok()) return refused;
    return options;
  }
  Result<std::vector<std::string>> addresses = split_addresses(given->from);
  if (!addresses.ok()) return invalid("--from: " + addresses.status().message());
  options.addresses = *std::move(addresses);
  options.database_file.clear();
  if (Status missing = check_store_exists(options); !missing.ok()) {
    return Status(StatusCode::kFailedPrecondition, "--from: " + missing.message());
  }
  return options;
}

Status import_counters(Context& context, CounterSource::Kind kind, const Arguments& given) {
  const Result<StoreOptions> from = source_of(context, given);
  if (!from.ok()) return from.status();
  const Result<std::vector<Counter>> counters =
      read_counters(*from, {kind, given->table, given->column});
  return counters.ok() ? move_past(context, *counters, given) : counters.status();
}

Status import_max(Context& context, const Arguments& given) {
  const Result<std::int64_t> id = parse_number(given->id, "0", "9223372036854775806");
  if (!id.ok()) return invalid("ID: " + id.status().message());
  return move_past(context, {{given->tag, *id, 0}}, given);
}

void add_dry_run(CLI::App* command, const Arguments& given) {
  command->add_flag("--dry-run", given->dry_run, "print what would be done");
}

CLI::App* add_source(CommandLine& line, CLI::App* import, const Arguments& given, const char* name,
                     const char* help, CounterSource::Kind kind) {
  CLI::App* const command = line.add(import, name, help, [kind, given](Context& context) {
    return import_counters(context, kind, given);
  });
  command
      ->add_option("--from", given->from, "the database to read, if it is not that of --database")
      ->type_name("URL");
  add_dry_run(command, given);
  return command;
}

void add_service(CommandLine& line, CLI::App* import, const Arguments& given, const char* name,
                 const char* help, CounterSource::Kind kind, const char* table) {
  CLI::App* const command = add_source(line, import, given, name, help, kind);
  command->add_option("--table", given->table, "the table to read")
      ->type_name("NAME")
      ->default_str(table);
  command->add_option("--only", given->only, "import only this one")->type_name("NAME");
  command->add_option("--prefix", given->prefix, "put this before the names of the tags")
      ->type_name("TEXT");
}

void add_name(CLI::App* command, const char* option, std::string* value, const char* help) {
  command->add_option(option, *value, help)->required()->type_name("");
}

}  // namespace

void add_import(CommandLine& line) {
  using Kind = CounterSource::Kind;
  const auto given = std::make_shared<ImportArguments>();
  CLI::App* const import =
      line.add_group("import", "move tags past the ids that another program has handed out");
  add_service(line, import, given, "leaf", "every row of Leaf's table", Kind::kLeaf, "leaf_alloc");
  add_service(line, import, given, "tinyid", "every row of TinyID's table", Kind::kTinyId,
              "tiny_id_info");
  add_service(line, import, given, "cosid", "every row of CosId's table", Kind::kCosId, "cosid");

  CLI::App* command = add_source(
      line, import, given, "column",
      "a column with AUTO_INCREMENT, an identity or a sequence, or a column of plain numbers",
      Kind::kColumn);
  add_name(command, "TABLE", &given->table, "the table, or SCHEMA.TABLE");
  add_name(command, "COLUMN", &given->column, "the column");
  add_name(command, "TAG", &given->tag, "the tag to move");

  command = add_source(line, import, given, "sequence",
                       "a sequence of PostgreSQL or MariaDB, or SQLite's AUTOINCREMENT of a table",
                       Kind::kSequence);
  add_name(command, "NAME", &given->table, "the sequence, or SCHEMA.SEQUENCE");
  add_name(command, "TAG", &given->tag, "the tag to move");

  command = line.add(import, "max", "a number that you know: the highest id handed out",
                     [given](Context& context) { return import_max(context, given); });
  add_name(command, "TAG", &given->tag, "the tag to move");
  add_name(command, "ID", &given->id, "the id");
  add_dry_run(command, given);
}

}  // namespace featherid
