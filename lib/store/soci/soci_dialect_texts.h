// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_DIALECT_TEXTS_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_DIALECT_TEXTS_H_

// SQL that several dialects have in common. Macros, because these are parts of string constants.

namespace featherid {

#define FEATHERID_LEADS(server) \
  " AND EXISTS (SELECT 1 FROM id_leader WHERE id = 1 AND server = " server " AND term = "

// A row without a usable number is left alone.
#define FEATHERID_SKIP                                                        \
  "UPDATE id_segments SET max_id = CASE "                                     \
  "WHEN max_id < :limit - GREATEST(:count, 10.0 * COALESCE(step, 0)) "        \
  "THEN max_id + GREATEST(:count, 10.0 * COALESCE(step, 0)) ELSE :limit END " \
  "WHERE max_id >= 0 AND max_id < :limit"

inline constexpr char kFurthest[] =
    "SELECT COALESCE(MAX(max_id), 0) FROM id_segments WHERE max_id BETWEEN 0 AND :limit";

inline constexpr char kTerm[] = "SELECT term FROM id_leader WHERE id = 1";
inline constexpr char kLockedRecord[] = " FROM id_leader WHERE id = 1 FOR UPDATE";
inline constexpr char kPeriods[] = "SELECT count(*) FROM id_tags WHERE period_kind > 0";
inline constexpr char kNoteFailovers[] =
    "UPDATE id_tags SET period_failovers = :failovers, "
    "period_lost_at = GREATEST(period_lost_at, :now_ms) "
    "WHERE period_kind > 0 AND period_failovers < :failovers";
inline constexpr char kRecordLeader[] =
    "UPDATE id_leader SET server = :server, term = :term WHERE id = 1";

#define FEATHERID_NO_CAP "9223372036854775806"  // kIdMax

// `row` is the record's: names without a table are of the innermost one. (Not one NOT EXISTS with
// max_id in it: PostgreSQL does not check that again for a row that another lease has just moved.)
#define FEATHERID_NOT_REMOVED(row) \
  " AND max_id >= COALESCE((SELECT removed_max_id FROM id_tags WHERE " row "), 0)"

// For a lease: it does not pass the cap, the tag has neither time floor nor periods, and a series
// that was removed does not begin again.
#define FEATHERID_PERMITTED(row)                                                                  \
  " AND max_id <= COALESCE((SELECT CASE WHEN floor_rate = 0 AND period_kind = 0 THEN "            \
  "COALESCE(cap, " FEATHERID_NO_CAP ") ELSE 0 END FROM id_tags WHERE " row "), " FEATHERID_NO_CAP \
  ") - :count" FEATHERID_NOT_REMOVED(row)

// Where the floor is, `div` being the division of integers: floor_at() in SQL.
#define FEATHERID_FLOOR(now, div, rate, epoch_ms)                                          \
  "(" rate " * ((" now " - " epoch_ms ") " div " 1000) + " rate " * ((" now " - " epoch_ms \
  ") % 1000) " div " 1000)"

// What a lease under a floor writes. The clock is read again after the conditions have been
// checked. Whatever it says then, :floor_max bounds what it does.
#define FEATHERID_RAISED(now, div, greatest, least) \
  greatest "(max_id, " least                        \
           "(" FEATHERID_FLOOR(now, div, ":rate", ":epoch_ms") ", :floor_max)) + :count"

#define FEATHERID_FLOOR_CONDITION(now, div, row) \
  " AND EXISTS (SELECT 1 FROM id_tags WHERE " row                                             \
  " AND floor_rate = :rate AND floor_epoch = :epoch_s AND floor_lead_max = :lead_max_s AND "  \
  "floor_only_warns = :lead_only_warns AND COALESCE(cap, " FEATHERID_NO_CAP ") = :cap) AND "  \
  now " <= :now_max AND " FEATHERID_FLOOR(now, div, ":rate", ":epoch_ms")                     \
  " <= :limit AND (:lead_only_warns = 1 OR max_id <= " FEATHERID_FLOOR(now, div, ":rate",     \
                                                                       ":lead_epoch_ms")      \
  " - :count)" FEATHERID_NOT_REMOVED(row)

// For a lease in a period: the tag `row` has these periods and was not removed, the lease does not
// pass its cap, and the clock permits it. (max_id stands outside of the query, for PostgreSQL, as
// above.)
#define FEATHERID_PERIOD_CONDITION(now, row)                                             \
  " AND " now                                                                            \
  " BETWEEN :begin_ms AND :end_ms AND max_id <= (SELECT COALESCE(cap, " FEATHERID_NO_CAP \
  ") FROM id_tags WHERE " row                                                            \
  " AND period_kind = :kind AND "                                                        \
  "period_offset = :offset AND removed_max_id IS NULL) - :count"

// The options of a row, as SociDialect::find returns them; `floor`: the members of the time floor.
// The names keep answers short: otherwise MySQL repeats each expression in every answer.
#define FEATHERID_OPTIONS(text, floor, period, row)                                                \
  "COALESCE(CAST((SELECT cap FROM id_tags WHERE " row ") AS " text                                 \
  "), '') AS cap, "                                                                                \
  "COALESCE(CAST((SELECT strict FROM id_tags WHERE " row ") AS " text                              \
  "), '') AS is_strict, "                                                                          \
  "COALESCE((SELECT CASE WHEN floor_rate = 0 THEN '' ELSE " floor " END FROM id_tags WHERE " row   \
  "), '') AS time_floor, "                                                                         \
  "COALESCE((SELECT CASE WHEN period_kind = 0 THEN '' ELSE " period " END FROM id_tags WHERE " row \
  "), '') AS period"
#define FEATHERID_CONCAT_FLOOR(now) \
  "CONCAT_WS(';', floor_rate, floor_epoch, floor_lead_max, floor_only_warns, floor_since, " now ")"
#define FEATHERID_CONCAT_PERIOD(now) "CONCAT_WS(';', period_kind, period_offset, " now ")"

// Tags with a floor whose lead is bounded, under their aliases s and t.
#define FEATHERID_BOUND_LEAD "t.floor_rate > 0 AND t.floor_only_warns = 0"
// Where they skip to after a failover.
#define FEATHERID_SKIP_LEAD(div) \
  "CASE WHEN max_id < :limit - t.floor_rate * t.floor_lead_max THEN GREATEST(max_id + "           \
  "LEAST(GREATEST(:count, 10.0 * COALESCE(step, 0)), t.floor_rate * t.floor_lead_max), "            \
  "LEAST(:limit, " FEATHERID_FLOOR(":now_ms", div, "t.floor_rate",                                \
                                   "(t.floor_epoch - t.floor_lead_max) * 1000") ")) "             \
  "ELSE :limit END"
#define FEATHERID_MAY_SKIP "max_id >= 0 AND max_id < :limit"

#define FEATHERID_VERSION(now) "SELECT version, " now " FROM id_tags WHERE biz_tag = ''"
inline constexpr char kCountChange[] =
    "UPDATE id_tags SET version = version + 1 WHERE biz_tag = ''";
inline constexpr char kListRecords[] =
    "SELECT biz_tag, version, recalled, COALESCE(cap, " FEATHERID_NO_CAP
    "), COALESCE(removed_max_id, -1), description, owner, created_by, created_at, changed_by, "
    "changed_at, strict, format, scramble, floor_rate, floor_epoch, floor_lead_max, "
    "floor_only_warns, floor_since, period_kind, period_offset, period_gone, period_failovers, "
    "period_lost_at FROM id_tags WHERE ";
#define FEATHERID_WRITE_RECORD(text, row)                                                          \
  "UPDATE id_tags SET version = :version, recalled = :recalled, cap = "                            \
  "NULLIF(:cap, " FEATHERID_NO_CAP "), removed_max_id = NULLIF(:removed, -1), description = " text \
  ":description, owner = " text ":owner, created_by = " text                                       \
  ":created_by, created_at = "                                                                     \
  ":created_at, changed_by = " text                                                                \
  ":changed_by, changed_at = :changed_at, strict = :strict, format = " text                        \
  ":format, scramble = " text                                                                      \
  ":scramble, "                                                                                    \
  "floor_rate = :floor_rate, floor_epoch = :floor_epoch, floor_lead_max = :floor_lead_max, "       \
  "floor_only_warns = :floor_only_warns, floor_since = :floor_since, period_kind = :period_kind, " \
  "period_offset = :period_offset, period_gone = :period_gone, "                                   \
  "period_failovers = :period_failovers, period_lost_at = :period_lost_at WHERE " row

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_DIALECT_TEXTS_H_
