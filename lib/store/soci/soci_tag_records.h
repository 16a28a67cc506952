// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_TAG_RECORDS_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_TAG_RECORDS_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/log.h"
#include "featherid/status.h"
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_session.h"
#include "lib/store/soci/table_names.h"
#include "lib/store/tag_record.h"

namespace featherid {

// The table id_tags. A database may lack it, if an older version made the schema, or not let this
// user read it. Then tags have no options, and all else works. Its row with an empty tag counts the
// changes: a change locks that row, so changes are made one after another, and their numbers are
// visible in order. Thread-safe. Methods throw as SociSession does.
class SociTagRecords {
 public:
  SociTagRecords(const TagsSql& sql, Engine engine, LogCallback log, const TableNames& names);

  // Whether the session can use the table. Asks the server if nobody has for a minute, or if told
  // to. Warns once if it cannot, and again if it could in between. Not inside a transaction of a
  // server.
  bool look(SociSession& session, bool ask = false);

  // Refuses a change that depends on records which the user may not read. OK if there is no table.
  Status refuse_unread(const SociSession& session, std::string_view tag) const;

  // A further condition of a give-back: after that change, none made processes drop the tag's ids.
  // Empty without the table.
  std::string not_recalled(const SociSession& session, std::int64_t after) const;

  // A further condition of a lease: it does not pass the cap, and its series was not removed. Empty
  // without the table.
  std::string condition(const SociSession& session) const {
    return session.settings().has_records ? sql_.condition : "";
  }

  // The rest requires the table.

  struct Head {
    std::int64_t version = 0;  // the number of the last change
    std::int64_t now = 0;      // Unix time, in seconds
  };
  Head head(SociSession& session) const;

  // What the store is called; empty: it has no name yet. Kept in the row that counts the changes.
  std::string store_name(SociSession& session) const;
  // Gives it a name. False: it has one already, or `stated`, a condition, did not hold.
  bool name_store(SociSession& session, const std::string& name, const std::string& stated) const;

  // In a transaction: begins a change, which has the number of the head from now on. `stated`: a
  // condition. False: it did not hold.
  bool begin_change(SociSession& session, const std::string& stated) const;

  std::optional<TagRecord> find(SociSession& session, std::string_view tag) const;
  // The records that were changed after one number and up to another.
  // Of the tags from `first` to `last`, in any order.
  std::vector<TagRecord> between(SociSession& session, const std::string& first,
                                 const std::string& last) const;
  std::vector<TagRecord> changed(SociSession& session, std::int64_t after,
                                 std::int64_t up_to) const;
  // In a transaction.
  void write(SociSession& session, const TagRecord& record) const;

 private:
  template <typename OnRecord, typename... Uses>
  void for_each(SociSession& session, const std::string& conditions, OnRecord on_record,
                Uses... uses) const;
  std::string trouble(SociSession& session) const;

  const TagsSql& sql_;
  const Engine engine_;
  const LogCallback log_;
  const TableNames names_;
  std::atomic<bool> warned_{false};
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_TAG_RECORDS_H_
