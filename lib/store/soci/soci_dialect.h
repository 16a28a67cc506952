// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_DIALECT_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_DIALECT_H_

#include <chrono>
#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/soci/database_url.h"
#include "lib/store/soci/table_names.h"

namespace featherid {

// The SQL of ClusterMark; null for an engine without clusters of this kind.
struct MarkSql {
  // A further condition for a statement on id_segments: this node has the mark of the term. The
  // number of the term and a closing bracket must follow.
  const char* condition = nullptr;
  const char* add = nullptr;  // :term
  // A query: the term on record, whether the record names this cluster, whether the node has the
  // term's mark, whether it has one of a term before it, the cluster's name for itself, the engine
  // of id_mark. No row: there is no record.
  const char* look = nullptr;
  const char* engine = nullptr;  // the required one
  const char* schema = nullptr;  // the text of sql/galera.sql
};

// The SQL of LeaderGuard; null for an engine without servers.
struct LeaderSql {
  // A further condition for a statement on id_segments: this server leads the rows, in the term.
  // The number of the term and a closing bracket must follow.
  const char* condition = nullptr;
  const char* begin = nullptr;
  const char* commit = nullptr;
  const char* server = nullptr;  // an expression: what this server calls itself
  // Returns the highest max_id that is an id; 0 if there is none.
  const char* furthest = nullptr;
  const char* term = nullptr;           // a query for the term on record
  const char* locked_record = nullptr;  // ends the query for the record, and locks it
  // Moves every tag forward by :count or ten steps, up to :limit.
  const char* skip = nullptr;
  // If the tags' records can be read: a further condition, which leaves out the tags with a time
  // floor whose lead is bounded …
  const char* skip_unless_floor = nullptr;
  // … because these skip less: to the end of the lead at :now_ms, and as above, but no more than
  // the lead has ids.
  const char* skip_with_floor = nullptr;
  const char* now = nullptr;  // FloorSql::now
  // If the tags' records can be read: a query for the number of those with periods, and a statement
  // that notes :failovers in them, the last one at :now_ms.
  const char* periods = nullptr;
  const char* note_failovers = nullptr;
  const char* record = nullptr;
  // How many replications write to this server what another one leads; null if none can.
  const char* replications = nullptr;
  MarkSql mark;
};

// The SQL of SettingsGuard; null for an engine without server settings.
struct SettingsSql {
  // Returns the process that serves the session; null: it is the one that the driver knows.
  const char* server_process = nullptr;
  // On a pooler's session, undoes what the driver has set by itself.
  const char* unpin = nullptr;
  // Set what a session may set for itself.
  std::vector<std::string> (*pin)(std::chrono::seconds call_timeout) = nullptr;
  const char* const* names = nullptr;  // of the values in `text`, in order; null after the last
  // A query: whether this server has been a member of a cluster whose members can continue alone,
  // with old rows. Null: there is no such cluster.
  const char* was_member = nullptr;
  // A condition for a statement on such a server. It is an error unless the server is a member that
  // has caught up and is in the majority.
  const char* is_member = nullptr;
  // An expression: the values of the settings that are named, with ';' between them.
  const char* text = nullptr;
  // A query for what would cost too much in each statement. Returns a text about each of
  // id_segments, id_leader and id_tags, the type of the column max_id, and the value of `further`.
  const char* tables = nullptr;
  const char* further = nullptr;  // a setting's name
  // Show how id_segments and id_leader were made: a temporary table hides the real one and is in no
  // list. Null: `tables` shows it.
  const char* show[2] = {nullptr, nullptr};
  // The beginning of a condition: makes its statement commit durably. Empty if the settings in
  // `text` decide that.
  std::string (*durably)(std::chrono::seconds call_timeout) = nullptr;
  std::string (*literal)(const std::string& text) = nullptr;  // a string constant
};

// The SQL of time floors. Parameters beside SociDialect's: :rate; :epoch_ms and :lead_epoch_ms (the
// epoch, and lead_max before it); :now_max (the latest clock to follow) and :floor_max (where the
// floor is then), :own_ms (this process's clock).
struct FloorSql {
  // SociDialect::lease for a tag with a floor: also raises max_id. Its conditions must follow.
  const char* lease = nullptr;
  // The record is as stated by :rate, :epoch_s, :lead_max_s, :lead_only_warns and :cap, the clock
  // is one to follow, and the lease ends within the lead.
  const char* condition = nullptr;
  // A query for the server's clock, in ms of Unix time, 0 if it cannot be trusted. Null: the
  // process's clock is the store's.
  const char* now = nullptr;
};

// The SQL of SociTagRecords.
struct TagsSql {
  const char* find = nullptr;       // SociDialect::find, with the options
  const char* condition = nullptr;  // a further condition for a lease: its record permits it
  const char* version =
      nullptr;  // a query: the number of the last change. No row: the table was not filled
  const char* count = nullptr;    // raises that number
  const char* list = nullptr;     // a query for TagRecord's members, in order; conditions follow
  const char* is_tag = nullptr;   // a condition: the record of :tag
  const char* between = nullptr;  // a condition: the records of tags from :first to :last, by bytes
  const char* add = nullptr;      // an empty record
  // Writes a record's members. :version, :recalled, :cap, :removed, :description, :owner,
  // :created_by, :created_at, :changed_by, :changed_at, :strict, :format, :scramble, :floor_rate,
  // :floor_epoch, :floor_lead_max, :floor_only_warns, :floor_since, :period_kind, :period_offset,
  // :period_gone, :period_failovers, :period_lost_at
  const char* write = nullptr;
  FloorSql floor;
  // A further condition for a lease of a period's row: the tag :base has the periods :kind with
  // :offset, its cap permits it, and the clock, or for SQLite :own_ms, is from :begin_ms to
  // :end_ms.
  const char* in_period = nullptr;
};

// The SQL of SociStore for one engine. Named parameters: :tag, :count, :limit (the highest max_id
// that may be leased from), :step, :max_id, :expected (the max_id that there must be), :term,
// :server. Statements that write end with their conditions.
struct SociDialect {
  // Where a lease finds the max_id that it wrote.
  enum class Leased { kInsertId, kReturnedRow };

  const char* begin = nullptr;   // null: every statement is a transaction of its own
  const char* commit = nullptr;  // null in the same case
  Leased leased = Leased::kReturnedRow;
  const char* lease = nullptr;
  const char* lease_returning = nullptr;  // comes after the conditions
  // Returns biz_tag and, as texts, max_id, step, cap and strict (both empty: none) and time floor
  // (empty: none; otherwise its members, and the server's clock in ms if it can be trusted) and
  // period (likewise) of the rows whose biz_tag equals :tag in the column's collation.
  const char* find = nullptr;
  // The same, without the options, for the rows that begin with :prefix and come after :after: the
  // first :count of them. By bytes, whatever the column's collation.
  const char* list = nullptr;
  const char* create = nullptr;
  const char* update = nullptr;
  const char* advance = nullptr;
  const char* exchange_max_id = nullptr;  // of a row whose max_id is :expected
  const char* remove = nullptr;
  // An expression whose value is constant within a transaction and differs in any other one (MySQL:
  // on any other connection). A proxy cannot repeat a statement that states it. Null: there are no
  // proxies.
  const char* transaction = nullptr;
  TagsSql tags;
  SettingsSql settings;
  LeaderSql leader;
  const char* schema_begin = nullptr;  // statements before and after the schema's; null: none
  const char* schema = nullptr;        // the text of sql/<engine>.sql
  const char* schema_end = nullptr;
};

SociDialect mysql_dialect();
SociDialect postgresql_dialect();
SociDialect sqlite3_dialect();

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
  std::forward_list<std::string> texts_;  // that dialect_ points to
};

// The sql_mode of MySQL's sessions; SettingsGuard refuses any other.
extern const char* const kMysqlSqlMode;

namespace sqlite3_sql {
extern const char* const kSetJournalMode;  // returns the mode that is then on
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

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_DIALECT_H_
