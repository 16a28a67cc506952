// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_settings_guard.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace featherid {

using soci::into;

namespace {

constexpr std::chrono::seconds kReadAgainAfter{60};

// The tables. The settings contain the engine or place of each, under its name.
constexpr const char* kTables[] = {"id_segments", "id_leader"};
constexpr const char* kTagsTable = "id_tags";
constexpr const char* kTemporary = "TEMPORARY";
constexpr const char* kType = "max_id";  // the type of its column

// A setting that says why those of the tables could not be read.
constexpr const char* kUnread = "unread";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ';') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// The values of `settings` by name; empty if there is none.
class Values {
 public:
  explicit Values(const std::vector<ServerSetting>& settings) : settings_(settings) {}
  std::string operator[](std::string_view name) const {
    for (const ServerSetting& setting : settings_) {
      if (setting.name == name) return setting.value;
    }
    return "";
  }
  bool is(std::string_view name, std::initializer_list<std::string_view> values) const {
    const std::string own = (*this)[name];
    return std::find(values.begin(), values.end(), own) != values.end();
  }

 private:
  const std::vector<ServerSetting>& settings_;
};

void judge_pins(const Values& values, SettingsVerdict* verdict) {
  const auto require = [&](const char* name, std::initializer_list<std::string_view> wanted) {
    if (values.is(name, {""}) || values.is(name, wanted)) return;
    verdict->wrong.push_back(
        std::string(name) + " is '" + values[name] + "' although this session has set it to '" +
        std::string(*wanted.begin()) +
        "'; a proxy in between switches server connections: let it keep one for each client");
  };
  require("autocommit", {"ON", "1"});
  require("completion_type", {"NO_CHAIN", "0"});
  require("sql_mode", {kMysqlSqlMode});
  require("isolation", {"READ-COMMITTED"});
  require("innodb_snapshot_isolation", {"OFF", "0"});
}

// 0 loses leases in a crash of the server, or of all nodes of a cluster, and with them the guard's
// own record that it has skipped. 2 loses them only in a power cut, but kSynchronous is for
// databases that lose none.
void judge_flush(const Values& values, bool must_keep_all, SettingsVerdict* verdict) {
  const std::string flush = values["innodb_flush_log_at_trx_commit"];
  if (flush == "2" && must_keep_all) {
    verdict->lossy.push_back(
        "innodb_flush_log_at_trx_commit is 2, so a power cut of all nodes takes back leases of the "
        "last second, and failover = synchronous is for databases that lose none; set it to 1 on "
        "every node");
  } else if (flush == "0") {
    verdict->lossy.push_back(
        "innodb_flush_log_at_trx_commit is 0, so a crash of the server (of all nodes of a cluster) "
        "takes back leases of the last second; set it to 1");
  } else if (flush == "2") {
    verdict->warnings.push_back(
        "innodb_flush_log_at_trx_commit is 2, so a power cut can take back leases of the last "
        "second; set it to 1");
  }
}

void judge_mysql_log(const Values& values, SettingsVerdict* verdict) {
  const bool log = values.is("log_bin", {"ON", "1"});
  if (log && !values.is("sync_binlog", {"1"})) {
    verdict->warnings.push_back("sync_binlog is " + values["sync_binlog"] +
                                ", so a power cut can take back leases: at its restart the server "
                                "drops transactions that the binary log lacks; set it to 1");
  }
  if (log && values.is("sql_log_bin", {"OFF", "0"})) {
    verdict->lossy.push_back(
        "sql_log_bin is OFF for this session, so no replica gets its leases; set it to ON");
  }
  if (values.is("innodb_redo_log", {"OFF"})) {
    verdict->lossy.push_back(
        "the InnoDB redo log is disabled, so a crash of the server can take back leases; ALTER "
        "INSTANCE ENABLE INNODB REDO_LOG");
  }
  if (values.is("innodb_doublewrite", {"OFF", "0", "DETECT_ONLY"})) {
    verdict->warnings.push_back("innodb_doublewrite is " + values["innodb_doublewrite"] +
                                ", so a power cut can damage the table; set it to ON");
  }
  if (values.is("innodb_flush_method", {"nosync", "littlesync"})) {
    verdict->warnings.push_back(
        "innodb_flush_method is " + values["innodb_flush_method"] +
        ", so a power cut can take back leases; set it to fsync or O_DIRECT");
  }
  if (values.is("wsrep_on", {"OFF", "0"}) && !values["wsrep_cluster"].empty()) {
    verdict->lossy.push_back(
        "wsrep_on is OFF on a node of a cluster, so its leases stay on this node; set it to ON");
  }
}

// `text`: the engine and whether it has transactions, or kTemporary.
void judge_engine(const std::string& table, const std::string& text, SettingsVerdict* verdict) {
  const std::string engine = text.substr(0, text.find(' '));
  if (engine == kTemporary) {
    verdict->wrong.push_back("the table " + table +
                             " is temporary for this session and hides the real one; make "
                             "sure that init_connect does not create it");
  } else if (engine == "VIEW") {
    verdict->warnings.push_back(table +
                                " is a view, so it is unknown whether its table keeps committed "
                                "data; make sure that the table uses InnoDB");
  } else if (!engine.empty() && text != engine + " YES") {
    verdict->lossy.push_back("the table " + table + " uses the engine " + engine +
                             ", which has no transactions, so a crash of the server can take back "
                             "leases; change it to InnoDB");
  } else if (!engine.empty() && engine != "InnoDB") {
    verdict->warnings.push_back(
        "the table " + table + " uses the engine " + engine +
        ", so it is unknown whether a crash can take back leases; make sure that "
        "its commits are on disk before they are answered");
  }
}

// Ids stay unique without the options of tags, unless a crash forgets where a removed tag was.
std::string forgets_options(const std::string& why, const std::string& what_to_do) {
  return std::string("the table ") + kTagsTable + " " + why +
         ", so a crash of the server can take back changes of tags: caps, and the max_id of "
         "removed tags; " +
         what_to_do;
}

void judge_tags_engine(const std::string& text, SettingsVerdict* verdict) {
  const std::string engine = text.substr(0, text.find(' '));
  if (text != engine + " NO") return;
  verdict->warnings.push_back(forgets_options(
      "uses the engine " + engine + ", which has no transactions", "change it to InnoDB"));
}

// One table of PostgreSQL, from "rp public".
struct Relation {
  char kind;         // r: a table
  char persistence;  // p: permanent
  char trigger;      // t: one may change a row before it is updated
  std::string schema;
};

std::vector<Relation> relations(const std::string& list) {
  std::vector<Relation> found;
  for (const std::string& text : split(list)) {
    if (text.size() > 3) found.push_back({text[0], text[1], text[2], text.substr(3)});
  }
  return found;
}

void judge_relations(const std::string& name, const std::string& list, SettingsVerdict* verdict) {
  const std::vector<Relation> found = relations(list);
  if (found.empty()) return;
  const std::string which = "the table " + found[0].schema + "." + name + " ";
  if (found.size() > 1) {
    verdict->wrong.push_back(which + "hides " + found[1].schema + "." + name +
                             "; drop or rename the one that no ids were leased from, or set "
                             "search_path for this user");
  } else if (found[0].persistence == 't') {
    verdict->wrong.push_back(which + "is temporary; drop it");
  } else if (found[0].persistence == 'u') {
    verdict->lossy.push_back(which +
                             "is UNLOGGED, so a crash of the server empties it; ALTER TABLE " +
                             name + " SET LOGGED");
  } else if (found[0].kind != 'r') {
    verdict->warnings.push_back(
        which +
        "is a view, a foreign table or partitioned, so it is unknown whether it keeps "
        "committed data; make sure that its tables are logged");
  } else if (found[0].trigger == 't') {
    verdict->warnings.push_back(which +
                                "has a trigger before an update; make sure that it does not change "
                                "max_id, or ids will be issued twice");
  }
}

void judge_postgresql(const Values& values, SettingsVerdict* verdict) {
  if (const std::string path = values["search_path"]; !path.empty()) {
    verdict->wrong.push_back("search_path is '" + path +
                             "' because another program has set it on a connection that a pooler "
                             "shares; let that program set it for its own user instead");
  }
  for (const char* name : {"fsync", "full_page_writes"}) {
    if (!values.is(name, {"off"})) continue;
    verdict->warnings.push_back(std::string(name) +
                                " is off, so a power cut can take back leases and damage the "
                                "database; set it to on");
  }
  for (const char* table : kTables) judge_relations(table, values[table], verdict);
  const std::vector<Relation> tags = relations(values[kTagsTable]);
  if (!tags.empty() && tags.front().persistence == 'u') {
    verdict->warnings.push_back(
        forgets_options("is UNLOGGED", std::string("ALTER TABLE ") + kTagsTable + " SET LOGGED"));
  }
}

// Where the rows are: a database of MySQL, a schema of PostgreSQL; empty if there are none.
std::string place_of(const Values& values) {
  if (std::string database = values["database"]; !database.empty()) return database;
  const std::vector<Relation> tables = relations(values["id_segments"]);
  return tables.empty() ? "" : tables.front().schema;
}

}  // namespace

bool is_galera_node(const std::vector<ServerSetting>& settings) {
  const Values values(settings);
  return values.is("wsrep_on", {"ON", "1"}) && !values["wsrep_cluster"].empty();
}

SettingsVerdict judge_settings(Engine engine, Failover failover,
                               const std::vector<ServerSetting>& settings) {
  const Values values(settings);
  SettingsVerdict verdict;
  if (const std::string error = values[kUnread]; !error.empty()) {
    verdict.warnings.push_back(
        "whether the table id_segments keeps committed data, and whether this server has left a "
        "cluster, cannot be read (" +
        error + ")");
  }
  // MySQL also adds to a text, as if it were a double.
  const bool rounds =
      engine == Engine::kMysql
          ? !values.is(kType, {"", "tinyint", "smallint", "mediumint", "int", "bigint", "decimal"})
          : values.is(kType, {"real", "double precision"});
  if (rounds) {
    verdict.wrong.push_back(
        "the column max_id is of type " + values[kType] +
        ", which rounds large ids, so they would be issued twice; change it to bigint");
  }
  if (engine == Engine::kMysql) {
    judge_pins(values, &verdict);
    judge_flush(values, failover == Failover::kSynchronous && is_galera_node(settings), &verdict);
    judge_mysql_log(values, &verdict);
    for (const char* table : kTables) judge_engine(table, values[table], &verdict);
    judge_tags_engine(values[kTagsTable], &verdict);
  } else if (engine == Engine::kPostgresql) {
    judge_postgresql(values, &verdict);
  }
  return verdict;
}

SettingsGuard::SettingsGuard(const SettingsSql& sql, Engine engine, const std::string& database,
                             const SociStoreOptions& options, const TableNames& names)
    : sql_(sql),
      engine_(engine),
      database_(database),
      call_timeout_(options.call_timeout),
      lossy_allowed_(options.lossy_commits == LossyCommits::kAllow),
      failover_(options.failover),
      log_(options.log_risks ? options.log : nullptr),
      names_(names) {}

void SettingsGuard::set_up(SociSession& session) {
  if (sql_.text == nullptr) return;
  long long server_process = session.server_process();
  if (sql_.server_process != nullptr) session.run(sql_.server_process, into(server_process));
  SociSession::Settings& settings = session.settings();
  settings.pooled = server_process != session.server_process();
  if (settings.pooled) {
    session.run(sql_.unpin);
  } else {
    for (const std::string& statement : sql_.pin(call_timeout_)) session.run(statement);
    session.use_database(database_);
  }
  const std::vector<ServerSetting> values = read(session, &settings.text);
  settings.in_galera = is_galera_node(values);
  // Before any query on its rows, which may be old.
  if (settings.group_member)
    session.run(std::string("SELECT 1 FROM DUAL WHERE 1 = 1") + sql_.is_member);
  settings.refused = judge(session, values);
  settings.read_at = std::chrono::steady_clock::now();
}

Status SettingsGuard::check(SociSession& session) {
  if (sql_.text == nullptr) return {};
  const SociSession::Settings& settings = session.settings();
  const auto age = std::chrono::steady_clock::now() - settings.read_at;
  if (!settings.refused.ok() || age >= kReadAgainAfter) set_up(session);
  return settings.refused;
}

Result<bool> SettingsGuard::changed(SociSession& session) {
  if (sql_.text == nullptr) return false;
  const std::string stated = session.settings().text;
  set_up(session);
  if (!session.settings().refused.ok()) return session.settings().refused;
  return session.settings().text != stated;
}

std::string SettingsGuard::stated(const SociSession& session) const {
  if (sql_.text == nullptr) return "1 = 1";
  return sql_.durably(call_timeout_) + sql_.text + " = " + sql_.literal(session.settings().text) +
         (session.settings().group_member ? sql_.is_member : "");
}

std::vector<ServerSetting> SettingsGuard::read(SociSession& session, std::string* text) const {
  session.run(std::string("SELECT ") + sql_.text, into(*text));
  std::vector<ServerSetting> settings;
  std::string rest = *text;
  for (const char* const* name = sql_.names; *name != nullptr; ++name) {
    const bool last = name[1] == nullptr;  // it may hold a ';'
    const std::size_t end = last ? rest.size() : std::min(rest.find(';'), rest.size());
    settings.push_back({*name, rest.substr(0, end)});
    rest.erase(0, std::min(end + 1, rest.size()));
  }
  // This is for advice only: a proxy with answers of its own must not stop a lease.
  try {
    if (sql_.was_member != nullptr) {
      int was_member = 0;
      session.run(sql_.was_member, into(was_member));
      session.settings().group_member = was_member != 0;
    }
    std::string values[2];
    std::string tags;
    std::string type;
    std::string further;
    session.run(sql_.tables, into(values[0]), into(values[1]), into(tags), into(type),
                into(further));
    settings.push_back({kTagsTable, tags});
    settings.push_back({kType, type});
    settings.push_back({sql_.further, further});
    for (std::size_t i = 0; i < 2; ++i) {
      settings.push_back({kTables[i], is_temporary(session, i) ? kTemporary : values[i]});
    }
  } catch (const soci::soci_error& error) {
    if (session.lost()) throw;
    settings.push_back({kUnread, one_line(error.get_error_message())});
  }
  return settings;
}

bool SettingsGuard::is_temporary(SociSession& session, std::size_t table) const {
  if (sql_.show[table] == nullptr) return false;
  std::string name;
  std::string made_by;
  try {
    session.run(sql_.show[table], into(name), into(made_by));
  } catch (const soci::soci_error&) {
    // A temporary table would have been shown to the session that made it.
    if (session.lost()) throw;
    return false;
  }
  return made_by.rfind("CREATE TEMPORARY ", 0) == 0;
}

Status SettingsGuard::judge(const SociSession& session,
                            const std::vector<ServerSetting>& settings) {
  SettingsVerdict verdict = judge_settings(engine_, failover_, settings);
  const auto refuse = [&](const std::string& why) {
    return Status(StatusCode::kFailedPrecondition, session.where() + ": " + names_.in(why));
  };
  if (!verdict.wrong.empty()) return refuse(verdict.wrong.front());
  if (Status other = same_place(place_of(Values(settings))); !other.ok()) {
    return refuse(other.message());
  }
  if (!lossy_allowed_ && !verdict.lossy.empty()) {
    return refuse(verdict.lossy.front() +
                  ", or accept duplicate ids after a crash with lossy-commits = allow");
  }
  for (std::string& lossy : verdict.lossy) verdict.warnings.push_back(std::move(lossy));
  for (std::string& warning : verdict.warnings) warning = names_.in(warning);
  log_warnings(session.where(), std::move(verdict.warnings));
  return {};
}

Status SettingsGuard::same_place(const std::string& place) {
  const MutexLock lock(mutex_);
  if (place_.empty()) place_ = place;
  if (place.empty() || place == place_) return {};
  return {StatusCode::kFailedPrecondition,
          "id_segments is in '" + place + "' for this session and was in '" + place_ +
              "' for an earlier one; set search_path for this user, or restart every process if "
              "the table was moved"};
}

void SettingsGuard::log_warnings(const std::string& where, std::vector<std::string> warnings) {
  std::vector<std::string> fresh;
  {
    const MutexLock lock(mutex_);
    std::vector<std::string>& known = warned_[where];
    for (const std::string& warning : warnings) {
      if (std::find(known.begin(), known.end(), warning) == known.end()) fresh.push_back(warning);
    }
    known = std::move(warnings);
  }
  if (!log_) return;
  for (const std::string& warning : fresh) {
    log_(LogLevel::kWarn, std::string(where).append(": ").append(warning));
  }
}

}  // namespace featherid
