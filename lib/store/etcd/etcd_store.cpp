// SPDX-License-Identifier: MIT
#include "featherid/etcd_store.h"

#include <atomic>
#include <fstream>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/bounds.h"
#include "lib/store/etcd/etcd_leases.h"
#include "lib/store/etcd/etcd_rows.h"
#include "lib/store/etcd/etcd_tags.h"
#include "lib/store/store_arguments.h"
#include "lib/store/tag_record.h"

namespace featherid {

namespace {

// Checks arguments, and that this is no child of a fork(); the rest is in EtcdLeases and EtcdTags.
class EtcdStore final : public Store {
 public:
  EtcdStore(EtcdUrl url, const EtcdStoreOptions& options) : rows_(std::move(url), options) {}

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override {
    if (Status bad = refuse(check_lease(tag, size)); !bad.ok()) return bad;
    return leases_.lease(tag, size);
  }
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override {
    if (Status bad = refuse(check_lease_in_period(tag, period, size)); !bad.ok()) return bad;
    return leases_.lease_in_period(tag, period, size);
  }
  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    return give_back_for_other(tag, tail, applied_);
  }
  Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                   std::int64_t applied) override {
    if (Status bad = refuse(check_give_back(tag, tail)); !bad.ok()) return bad;
    return leases_.give_back(tag, tail, applied);
  }

  Result<SegmentRow> find(std::string_view tag) override {
    if (Status bad = refuse(validate_tag(tag)); !bad.ok()) return bad;
    return tags_.find(tag);
  }
  Result<std::vector<TagInfo>> list(const TagQuery& query) override {
    if (Status bad = refuse(check_query(query)); !bad.ok()) return bad;
    return tags_.list(query);
  }
  Result<TagInfo> info(std::string_view tag) override {
    if (Status bad = refuse(validate_tag(tag)); !bad.ok()) return bad;
    return tags_.info(tag);
  }
  Status create(std::string_view tag, const NewTag& tag_to_make) override {
    if (Status bad = check_new_tag(tag, tag_to_make); !bad.ok()) return bad;
    if (Status bad = refuse(refuse_reserved(tag)); !bad.ok()) return bad;
    return tags_.create(tag, tag_to_make);
  }
  Status update(std::string_view tag, const TagChange& change) override {
    if (Status bad = refuse(check_change(tag, change)); !bad.ok()) return bad;
    return tags_.update(tag, change);
  }
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by) override {
    if (Status bad = refuse(check_advance(tag, max_id, by)); !bad.ok()) return bad;
    return tags_.advance(tag, max_id, by);
  }
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by) override {
    if (Status bad = refuse(check_rewind(tag, from, to, by)); !bad.ok()) return bad;
    return tags_.rewind(tag, from, to, by);
  }
  Status remove(std::string_view tag, std::string_view by) override {
    if (Status bad = refuse(check_remove(tag, by)); !bad.ok()) return bad;
    return tags_.remove(tag, by);
  }

  Status probe() override {
    if (Status bad = refuse({}); !bad.ok()) return bad;
    return rows_.probe(rows_.deadline());
  }
  std::string leader() const override { return rows_.client().member(); }
  Result<StoreIdentity> identity() override;
  Result<TagChanges> changes(std::int64_t version) override;
  Result<TagChanges> changes_for_other(std::int64_t version) override;

 private:
  // What is wrong with the arguments, else with the process.
  Status refuse(Status arguments) const {
    if (!arguments.ok()) return arguments;
    return fork_guard_.forked() ? store_was_forked() : Status();
  }

  const internal::ForkGuard fork_guard_{};
  std::atomic<std::int64_t> applied_{0};  // the last change that the callers of changes() applied
  EtcdRows rows_;
  EtcdLeases leases_{rows_};
  EtcdTags tags_{rows_};
};

Result<StoreIdentity> EtcdStore::identity() {
  if (Status bad = refuse({}); !bad.ok()) return bad;
  const Result<StoreHead> head = rows_.head(rows_.deadline());
  if (!head.ok()) return head.status();
  return StoreIdentity{head->name, 0};
}

Result<TagChanges> EtcdStore::changes(std::int64_t version) {
  for (std::int64_t old = applied_; old < version;) {
    if (applied_.compare_exchange_weak(old, version)) break;
  }
  return changes_for_other(version);
}

Result<TagChanges> EtcdStore::changes_for_other(std::int64_t version) {
  if (Status bad = refuse({}); !bad.ok()) return bad;
  const TimePoint deadline = rows_.deadline();
  const Result<StoreHead> head = rows_.head(deadline);
  if (!head.ok()) return head.status();
  TagChanges changes;
  changes.version = head->changes;
  if (version < 0 || version == changes.version) return changes;
  const Result<EtcdRows::All> all = rows_.read_all(deadline);
  if (!all.ok()) return all.status();
  changes.version = all->head.changes;
  for (const StoredTag& tag : all->tags) {
    if (tag.record) add_limit(*tag.record, known_change(version, changes.version), &changes);
  }
  return changes;
}

Status check_files(const EtcdUrl& url) {
  for (const std::string* file : {&url.ca, &url.cert, &url.key}) {
    if (!file->empty() && !std::ifstream(*file)) {
      return {StatusCode::kInvalidArgument, "the file " + *file + " cannot be read"};
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_etcd_store(std::string_view url,
                                               const EtcdStoreOptions& options) {
  Result<EtcdUrl> parsed = parse_etcd_url(url);
  if (!parsed.ok()) return parsed.status();
  if (Status s = check_bounds("call_timeout", options.call_timeout.count(), 100, 60000); !s.ok()) {
    return s;
  }
  if (Status s = check_bounds("connect_timeout", options.connect_timeout.count(), 10,
                              options.call_timeout.count());
      !s.ok()) {
    return s;
  }
  if (Status bad = check_files(*parsed); !bad.ok()) return bad;
  return std::unique_ptr<Store>(std::make_unique<EtcdStore>(*std::move(parsed), options));
}

Status init_etcd_store(std::string_view url, const EtcdStoreOptions& options,
                       std::vector<std::string>* tags_made) {
  const Result<std::unique_ptr<Store>> store = open_etcd_store(url, options);
  if (!store.ok()) return store.status();
  if (Status status = (*store)->identity().status(); !status.ok()) return status;
  if (Status status = (*store)->probe(); !status.ok()) return status;
  for (const char* tag : {"health", "order", "user"}) {
    constexpr std::int64_t kStep = 1000;
    NewTag made(kStep);
    made.automatic = true;  // one that was removed stays so
    Status status = (*store)->create(tag, made);
    const bool is_there =
        status.code() == StatusCode::kAlreadyExists || status.code() == StatusCode::kNotFound;
    if (!status.ok() && !is_there) return status;
    if (status.ok() && tags_made != nullptr) tags_made->emplace_back(tag);
  }
  return {};
}

}  // namespace featherid
