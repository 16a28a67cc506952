// SPDX-License-Identifier: MIT
#include "server/api/leases.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/store/leader_term.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

// OK if a process that knows `known` may go on with `now`.
Status follows(const StoreIdentity& now, const StoreIdentity& known) {
  if (known.name.empty()) return {};
  if (now.name != known.name) {
    return {StatusCode::kDataLoss, "this server's store is " + now.name +
                                       ", and the process that asks has leased from the store " +
                                       known.name +
                                       "; give all servers that it uses the same database, and "
                                       "restart it"};
  }
  if (may_follow(now.term, known.term)) return {};
  return {StatusCode::kDataLoss,
          "the rows of this server's store are older than those that the process that asks has "
          "seen, or have diverged from them (term " +
              std::to_string(now.term) + " after " + std::to_string(known.term) +
              "): an old server or backup is back, or a tag was rewound. After a rewind, restart "
              "every process. Otherwise advance every tag past the ids ever handed out (featherid "
              "advance TAG ID) before that"};
}

}  // namespace

Leases::Leases(std::shared_ptr<Store> store, std::int64_t lease_max_ids)
    : store_(std::move(store)), lease_max_ids_(lease_max_ids) {}

Status Leases::compare(const StoreIdentity& known) {
  if (known.name.empty()) return {};
  std::optional<StoreIdentity> seen;
  {
    const MutexLock lock(mutex_);
    if (!seen_.name.empty()) seen = seen_;
  }
  if (seen && follows(*seen, known).ok()) return {};
  return read(known).status();
}

Result<StoreIdentity> Leases::read(const StoreIdentity& known) {
  Result<StoreIdentity> now = store_->identity();
  if (!now.ok()) return now;
  {
    const MutexLock lock(mutex_);
    if (!seen_.name.empty() && seen_.name != now->name) {
      return Status(StatusCode::kDataLoss, "the database behind this server has changed (" +
                                               now->name + " after " + seen_.name +
                                               "); restart every process");
    }
    seen_ = *now;
  }
  if (Status other = follows(*now, known); !other.ok()) return other;
  return now;
}

std::int64_t Leases::told_version() {
  const MutexLock lock(mutex_);
  return version_;
}

Result<Leases::Leased> Leases::lease(const std::string& tag, LeaseSize size,
                                     const StoreIdentity& known, const Period& period) {
  if (Status bad = check_lease(tag, size); !bad.ok()) return bad;
  if (size.least_ids > lease_max_ids_) {
    return Status(StatusCode::kInvalidArgument,
                  "this server leases up to " + std::to_string(lease_max_ids_) +
                      " ids at once; ask for fewer, or raise lease-max-ids");
  }
  if (Status other = compare(known); !other.ok()) return other;
  size.most_ids = std::min(size.most_ids, lease_max_ids_);
  const std::int64_t version = told_version();
  const bool in_period = period != Period();
  const Result<IdRange> range =
      in_period ? store_->lease_in_period(tag, period, size) : store_->lease(tag, size);
  if (!range.ok()) return range.status();
  const Result<StoreIdentity> now = read(known);
  if (!now.ok()) return now.status();
  const std::string row = in_period ? period_row(tag, period) : tag;
  return Leased{*range, *now, receipts_.issue({row, *range, *now, version})};
}

Result<SegmentRow> Leases::find(const std::string& tag, const StoreIdentity& known) {
  if (Status other = compare(known); !other.ok()) return other;
  return store_->find(tag);
}

Result<Leases::Changes> Leases::changes(std::int64_t version, const StoreIdentity& known) {
  const Result<TagChanges> changes = store_->changes_for_other(version);
  if (!changes.ok()) return changes.status();
  const Result<StoreIdentity> now = read(known);
  if (!now.ok()) return now.status();
  const MutexLock lock(mutex_);
  version_ = changes->version;
  return Changes{*changes, *now};
}

// All of them are taken out, even if the first one is not good.
Result<LeaseReceipt> Leases::take(const Tail& tail) {
  std::optional<LeaseReceipt> whole;
  bool all_known = !tail.receipts.empty();
  bool fit = true;
  for (const std::string& text : tail.receipts) {
    std::optional<LeaseReceipt> receipt = receipts_.take(text);
    if (!receipt) {
      all_known = false;
    } else if (!whole) {
      whole = std::move(receipt);
    } else {
      const bool follows_it =
          receipt->tag == whole->tag && receipt->range.end == whole->range.first;
      fit = fit && follows_it && receipt->store.term == whole->store.term;
      whole->range.first = receipt->range.first;
      whole->applied = std::min(whole->applied, receipt->applied);
    }
  }
  if (!all_known) {
    return Status(
        StatusCode::kNotFound,
        "a receipt was not made by this server since it started, was used before, or is too old");
  }
  const IdRange& range = whole->range;
  if (!fit || whole->tag != tail.tag || tail.first < range.first || tail.first >= range.end) {
    return Status(StatusCode::kInvalidArgument,
                  "the receipt is for a different lease; it cannot be used again");
  }
  return *std::move(whole);
}

Result<std::string> Leases::give_back(const Tail& tail) {
  const Result<LeaseReceipt> receipt = take(tail);
  if (receipt.status().code() == StatusCode::kNotFound) return receipt.status().message();
  if (!receipt.ok()) return receipt.status();
  // Rows of another leader may be older, so a comparison with max_id says nothing.
  const Result<StoreIdentity> now = read({receipt->store.name, 0});
  if (!now.ok()) return now.status();
  if (now->term != receipt->store.term) {
    return std::string("the leader of the rows has changed since the lease");
  }
  const Result<bool> given = store_->give_back_for_other(tail.tag, {tail.first, receipt->range.end},
                                                         std::min(tail.applied, receipt->applied));
  if (!given.ok()) return given.status();
  return std::string(*given ? "" : "somebody has leased since, or the tag was changed");
}

Result<StoreIdentity> Leases::probe(const StoreIdentity& known) {
  if (Status status = store_->probe(); !status.ok()) return status;
  return read(known);
}

}  // namespace featherid
