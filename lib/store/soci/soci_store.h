// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_STORE_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_STORE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/soci_store.h"
#include "lib/store/soci/soci_rows.h"
#include "lib/store/tag_record.h"

namespace featherid {

// The store of open_soci_store(), on the rows of one database. Its parts are in soci_store.cpp
// (leases, and what belongs to the store as a whole), soci_periods.cpp and soci_tag_admin.cpp.
class SociStore final : public Store, private SociRows {
 public:
  SociStore(std::vector<DatabaseUrl> addresses, const SociStoreOptions& options);

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override;
  Result<TagChanges> changes(std::int64_t version) override;

  Result<std::vector<TagInfo>> list(const TagQuery& query) override;
  Result<TagInfo> info(std::string_view tag) override;
  Status create(std::string_view tag, const NewTag& tag_to_make) override;
  Status update(std::string_view tag, const TagChange& change) override;
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by) override;
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by) override;
  Status remove(std::string_view tag, std::string_view by) override;
  Status probe() override;
  std::string leader() const override { return leader_guard_.leader(); }
  Result<StoreIdentity> identity() override;
  Result<TagChanges> changes_for_other(std::int64_t version) override;
  Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                   std::int64_t applied) override {
    if (Status status = check_give_back(tag, tail); !status.ok()) return status;
    return exchange_max_id(tag, tail.last(), tail.first - 1, applied);
  }

  // As query_soci().
  Result<std::vector<std::string>> query(const std::string& sql);

  // As init_soci_schema().
  Status init_schema(std::vector<std::string>* tags_made);

 private:
  Status no_place_for_options(std::string_view tag) const;
  Status no_place_for_removal(std::string_view tag) const;
  // Adds to rows in order what is recorded of their tags.
  void add_records(SociSession& session, std::vector<TagInfo>* rows) const;
  // As many ids of a tag as the failovers so far may have lost.
  std::int64_t ids_lost_in_failovers(std::int64_t step) const;

  std::vector<std::string> tags(SociSession& session) const;  // of all rows, in order
  // Makes the tables and their first rows if they are missing. Returns the tags that it made.
  std::vector<std::string> fill_schema(SociSession& session) const;

  // For create() and update(): the record's time floor and, for update(), its cap. They may be
  // refused; false: see run_on_row().
  Status create_floor(SociSession& session, const TimeFloor& floor, std::int64_t max_id,
                      TagRecord* record);
  Result<bool> change_bounds(SociSession& session, const TagChange& change, TagRecord* record);

  // --- periods ---
  // One try. `missing`: the period has no row yet (kNotFound).
  Result<IdRange> lease_once(SociSession& session, std::string_view tag, const Period& period,
                             LeaseSize size, bool* missing);
  Status make_row(std::string_view tag, const Period& period);
  // Removes the rows of old periods. What it cannot do now, a later call does.
  void purge_rows(std::string_view tag, const Period& newest);
  // The periods of the tag that have a row, the oldest first.
  std::vector<Period> periods_of(SociSession& session, std::string_view tag, PeriodKind kind) const;
  // Refuses the name of a row of a tag's period.
  Status refuse_period_row(SociSession& session, std::string_view name) const;
  Status refuse_foreign_periods(SociSession& session, const TagRecord& record,
                                const PeriodRule& wanted) const;

  // Called after a session could not read its clock: it may have lost its time zone.
  Status regain_clock(SociSession& session);

  // A row that somebody else made for a removed tag must not begin its series again.
  Status refuse_removed(SociSession& session, const SegmentRow& row) const;

  const LogCallback log_;
  const std::int64_t failover_guard_ids_;
  std::atomic<std::int64_t> applied_{0};  // the last change that the callers of changes() applied
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_STORE_H_
