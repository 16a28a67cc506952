// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_DIALECT_H_
#define FEATHERID_LIB_STORE_SOCI_DIALECT_H_

#include <chrono>
#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/database_url.h"
#include "lib/store/table_names.h"

namespace featherid {

// What ClusterMark says; null for an engine without clusters of this kind.
struct MarkSql {
  // A further condition of a statement on id_segments, up to the number of the term and a closing
  // bracket: this node has the mark of the term.
  const char* condition;
  const char* add;  // :term
  // A query: the term on record, whether the record names this cluster, whether the node has the
  // term's mark, whether it has one of a term before it, the cluster's name for itself, the engine
  // of id_mark. No row: there is no record.
  const char* look;
  const char* engine;  // as it must be
  const char* schema;  // the text of sql/galera.sql
};

// What LeaderGuard says; null for an engine without servers.
struct LeaderSql {
  // A further condition of a statement on id_segments, up to the number of the term and a closing
  // bracket: this server leads the rows, in that term.
  const char* condition;
  const char* begin;
  const char* commit;
  const char* server;  // an expression: what this server calls itself
  // Gives the highest max_id that is an id; 0 when there is none.
  const char* furthest;
  const char* locked_record;  // ends the query for the record, and locks it
  // Moves every tag forward by :count or ten steps, up to :limit.
  const char* skip;
  const char* record;
  // How many replications write to this server what another leads; null where none can.
  const char* replications;
  MarkSql mark;
};

// What SettingsGuard says; null for an engine without settings of a server.
struct SettingsSql {
  // Gives the process that serves the session; null: it is the one that the driver knows.
  const char* server_process;
  // Undoes on a session of a pooler what the driver has set by itself.
  const char* unpin;
  // Set what a session may set for itself.
  std::vector<std::string> (*pin)(std::chrono::seconds call_timeout);
  const char* const* names;  // of the values in `text`, in order; null after the last
  // A query: whether this server has been a member of a cluster whose members can go on alone, with
  // old rows. Null: there is no such cluster.
  const char* was_member;
  // A condition of a statement on such a server: an error unless it is a member that has caught up,
  // and is with the majority.
  const char* is_member;
  // An expression: the values of the settings that are named, with ';' between them.
  const char* text;
  // A query for what a statement cannot state at a bearable cost: gives a text about id_segments,
  // one about id_leader, the type of the column max_id, and the value of `further`.
  const char* tables;
  const char* further;  // a setting's name
  // Show how each table was made: a temporary one hides the real one and is in no list. Null:
  // `tables` tells.
  const char* show[2];
  // The beginning of a condition: makes the statement that it stands in commit durably. Empty when
  // the settings in `text` decide that.
  std::string (*durably)(std::chrono::seconds call_timeout);
  std::string (*literal)(const std::string& text);  // a string constant
};

// What SociStore says to one engine. Parameters by name: :tag, :count, :limit (the highest max_id
// that may be leased from), :step, :max_id, :expected (the max_id that there must be), :term,
// :server. Statements that write end in their conditions.
struct SociDialect {
  // Where a lease finds the max_id that it wrote.
  enum class Leased { kInsertId, kReturnedRow };

  const char* begin;   // null: every statement is a transaction of its own
  const char* commit;  // null as well
  Leased leased;
  const char* lease;
  const char* lease_returning;  // comes after the conditions
  // Gives biz_tag and, as texts, max_id and step of the rows whose biz_tag equals :tag for the
  // column's collation.
  const char* find;
  const char* list;  // the same of all rows, in any order
  const char* create;
  const char* update;
  const char* advance;
  const char* exchange_max_id;  // of a row whose max_id is :expected
  const char* remove;
  // An expression with one value throughout a transaction, and another in any other one (MySQL: on
  // any other connection), so that a statement which states it cannot be repeated by a proxy. Null:
  // no proxy comes in between.
  const char* transaction;
  SettingsSql settings;
  LeaderSql leader;
  const char* schema_begin;  // statements before and after the schema's; null: none
  const char* schema;        // the text of sql/<engine>.sql
  const char* schema_end;
};

const SociDialect& dialect_of(Engine engine);

// The same for the tables that a URL names.
class NamedDialect {
 public:
  explicit NamedDialect(const DatabaseUrl& url);
  NamedDialect(const NamedDialect&) = delete;
  NamedDialect& operator=(const NamedDialect&) = delete;

  const SociDialect& operator*() const { return dialect_; }

 private:
  SociDialect dialect_;
  std::forward_list<std::string> texts_;  // that it points to
};

// What MySQL's sessions run with; SettingsGuard refuses any other.
extern const char* const kMysqlSqlMode;

namespace sqlite3_sql {
extern const char* const kSetJournalMode;  // gives the mode that is on then
extern const char* const kJournalMode;
extern const char* const kJournalModeWanted;
extern const char* const kSetSynchronous;
extern const char* const kSynchronous;
extern const char* const kSetWritable;
constexpr long long kSynchronousWanted = 2;  // FULL
extern const char* const kSchemaVersion;     // 0: the file is new, no table was ever made in it
}  // namespace sqlite3_sql

// The statements of a schema file, without its comment lines.
std::vector<std::string> split_statements(std::string_view script);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_DIALECT_H_
