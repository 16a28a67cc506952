// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_rows.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/base/random_text.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kPageTags = 1000;

std::string text_of(const StoreHead& head) {
  return Json{{"name", head.name}, {"changes", head.changes}}.dump();
}

}  // namespace

EtcdRows::EtcdRows(EtcdUrl url, const EtcdStoreOptions& options)
    : cluster_key_(cluster_key(url)),
      store_key_(store_key(url)),
      tags_key_(tags_key(url)),
      log_(options.log),
      client_(std::move(url), options) {}

std::vector<std::int64_t> EtcdRows::revisions(const std::vector<std::string>& names) const {
  std::vector<std::int64_t> revisions;
  for (const std::string& name : names) revisions.push_back(known_.revision(name));
  return revisions;
}

void EtcdRows::add_reads(const std::vector<std::string>& names, Needs needs, EtcdTxn* txn) const {
  for (const std::string& name : names) txn->read(key_of(name));
  if (needs == Needs::kHead) txn->read(store_key_);
  if (needs == Needs::kCluster) txn->read(cluster_key_);
}

Result<KeyView> EtcdRows::read(const std::vector<std::string>& names, Needs needs,
                               TimePoint deadline) {
  EtcdTxn txn;
  add_reads(names, needs, &txn);
  const std::vector<std::int64_t> before = revisions(names);
  const Result<EtcdTxn::Answer> answer = client_.run(txn, deadline);
  if (!answer.ok()) return answer.status();
  return view_of(names, before, answer->reads, needs, deadline);
}

// `before`: the revisions that were known when the call was sent.
Result<KeyView> EtcdRows::view_of(const std::vector<std::string>& names,
                                  const std::vector<std::int64_t>& before,
                                  const std::vector<std::vector<EtcdKey>>& reads, Needs needs,
                                  TimePoint deadline) {
  KeyView view;
  for (std::size_t i = 0; i < names.size(); ++i) {
    KnownTag tag;
    tag.stored.tag = names[i];
    if (!reads[i].empty()) {
      const EtcdKey& key = reads[i].front();
      if (key.revision < before[i]) return ClusterGuard::went_back(before[i], key.revision);
      Result<StoredTag> stored = read_stored_tag(names[i], key.value, key.key);
      if (!stored.ok()) return stored.status();
      tag = {*std::move(stored), key.revision};
    }
    known_.learn(tag);
    view.tags.push_back(std::move(tag));
  }
  if (needs == Needs::kHead) {
    Result<StoreHead> head = head_of(reads.back());
    if (!head.ok()) return head.status();
    view.head = *std::move(head);
  }
  if (needs == Needs::kCluster) {
    if (Status other = check_cluster(reads.back(), deadline); !other.ok()) return other;
  }
  return view;
}

std::optional<KeyView> EtcdRows::recall(const std::vector<std::string>& names) const {
  KeyView view;
  for (const std::string& name : names) {
    std::optional<KnownTag> known = known_.find(name);
    if (!known) return std::nullopt;
    view.tags.push_back(*std::move(known));
  }
  return view;
}

// The first process to lease records the cluster.
Status EtcdRows::check_cluster(const std::vector<EtcdKey>& read, TimePoint deadline) {
  std::string recorded = read.empty() ? "" : read.front().value;
  const std::string cluster = client_.cluster();
  if (recorded.empty()) {
    EtcdTxn txn;
    txn.if_unchanged(cluster_key_, read.empty() ? 0 : read.front().revision)
        .put(cluster_key_, cluster)
        .read(cluster_key_);
    const Result<EtcdTxn::Answer> answer = client_.run(txn, deadline);
    if (!answer.ok()) return answer.status();
    if (answer->succeeded) return {};
    recorded = answer->reads.front().empty() ? "" : answer->reads.front().front().value;
  }
  return recorded == cluster ? Status() : client_.another_cluster(recorded);
}

Result<bool> EtcdRows::write(KeyView* view, const Writes& writes, Needs needs, TimePoint deadline) {
  std::vector<std::string> names;
  EtcdTxn txn;
  for (const KnownTag& tag : view->tags) {
    names.push_back(tag.stored.tag);
    txn.if_unchanged(key_of(tag.stored.tag), tag.revision);
  }
  for (const std::size_t i : writes.tags) txn.put(key_of(names[i]), view->tags[i].stored.text());
  for (const std::string& name : writes.removed) txn.remove(key_of(name));
  if (needs == Needs::kCluster) txn.if_value(cluster_key_, client_.cluster());
  if (needs == Needs::kHead) {
    txn.if_unchanged(store_key_, view->head->revision);
    ++view->head->changes;
    txn.put(store_key_, text_of(*view->head));
  }
  add_reads(names, needs, &txn);
  const std::vector<std::int64_t> before = revisions(names);
  const Result<EtcdTxn::Answer> answer = client_.run(txn, deadline);
  if (!answer.ok()) {
    for (const std::string& name : names) known_.doubt(name);
    return answer.status();
  }
  if (!answer->succeeded) {
    Result<KeyView> now = view_of(names, before, answer->reads, needs, deadline);
    if (!now.ok()) return now.status();
    *view = *std::move(now);
    return false;
  }
  for (const std::size_t i : writes.tags) {
    view->tags[i].revision = answer->revision;
    known_.learn(view->tags[i]);
  }
  return true;
}

std::vector<StoredTag> EtcdRows::tags_of(const std::vector<EtcdKey>& keys) {
  std::vector<StoredTag> tags;
  for (const EtcdKey& key : keys) {
    Result<StoredTag> tag = read_stored_tag(key.key.substr(tags_key_.size()), key.value, key.key);
    if (tag.ok()) {
      tags.push_back(*std::move(tag));
    } else if (log_) {
      log_(LogLevel::kWarn, tag.status().message());
    }
  }
  return tags;
}

Result<std::vector<StoredTag>> EtcdRows::list(const TagQuery& query, TimePoint deadline) {
  std::vector<StoredTag> tags;
  EtcdRange range = with_prefix(key_of(query.prefix));
  if (!query.after.empty()) range.first = std::max(range.first, key_of(query.after) + '\0');
  range.count_max = kPageTags;
  while (range.first < range.end) {
    EtcdTxn txn;
    txn.read(range);
    const Result<EtcdTxn::Answer> answer = client_.run(txn, deadline);
    if (!answer.ok()) return answer.status();
    const std::vector<EtcdKey>& keys = answer->reads.front();
    for (StoredTag& tag : tags_of(keys)) {
      if (!tag.row) continue;  // it was removed
      tags.push_back(std::move(tag));
      if (static_cast<std::int64_t>(tags.size()) == query.count_max) return tags;
    }
    if (static_cast<std::int64_t>(keys.size()) < kPageTags) break;
    range.first = keys.back().key + '\0';
  }
  return tags;
}

Result<std::vector<Period>> EtcdRows::periods_of(std::string_view tag, PeriodKind kind,
                                                 TimePoint deadline) {
  EtcdRange range = with_prefix(key_of(std::string(tag) + "@"));
  range.keys_only = true;
  EtcdTxn txn;
  txn.read(range);
  const Result<EtcdTxn::Answer> answer = client_.run(txn, deadline);
  if (!answer.ok()) return answer.status();
  std::vector<Period> periods;
  for (const EtcdKey& key : answer->reads.front()) {
    const std::optional<PeriodRow> row = parse_period_row(key.key.substr(tags_key_.size()));
    if (!row || row->tag != tag) continue;
    if (kind == PeriodKind::kNone || row->period.kind() == kind) periods.push_back(row->period);
  }
  return periods;
}

Status EtcdRows::refuse_period_row(std::string_view name) {
  const std::optional<PeriodRow> row = parse_period_row(name);
  if (!row) return {};
  const Result<KeyView> view = read({row->tag}, Needs::kTags, deadline());
  if (!view.ok()) return view.status();
  const std::optional<TagRecord>& record = view->tags.front().stored.record;
  return record && record->period.is_set() ? only_in_period(name, row->tag) : Status();
}

Result<SegmentRow> EtcdRows::as_of_now(const SegmentRow& row) const {
  if (!row.floor.is_set() && !row.period.is_set()) return row;
  const Result<WallTime> time = client_.time();
  if (!time.ok()) return time.status();
  SegmentRow read = row;
  read.read_at = *time;
  return read;
}

std::int64_t EtcdRows::now_s() const {
  const WallTime at = [this] {
    const Result<WallTime> time = client_.time();
    return time.ok() ? *time : client_.own_time();
  }();
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

Result<StoreHead> EtcdRows::head_of(const std::vector<EtcdKey>& read) const {
  StoreHead head;
  head.name = random_text();
  if (read.empty()) return head;
  head.revision = read.front().revision;
  const Json json = Json::parse(read.front().value, nullptr, false);
  const bool good = json.is_object() && json.contains("name") && json["name"].is_string() &&
                    json.contains("changes") && json["changes"].is_number_integer();
  if (!good) {
    return Status(StatusCode::kFailedPrecondition,
                  "the value of the key " + store_key_ +
                      " is not one of FeatherID's; delete the key, and restart every process");
  }
  head.name = json["name"].get<std::string>();
  head.changes = json["changes"].get<std::int64_t>();
  return head;
}

Result<StoreHead> EtcdRows::head(TimePoint deadline) {
  EtcdTxn read;
  read.read(store_key_);
  const Result<EtcdTxn::Answer> answer = client_.run(read, deadline);
  if (!answer.ok()) return answer.status();
  Result<StoreHead> head = head_of(answer->reads.front());
  if (!head.ok() || head->revision != 0) return head;
  EtcdTxn make;
  make.if_unchanged(store_key_, 0).put(store_key_, text_of(*head)).read(store_key_);
  const Result<EtcdTxn::Answer> made = client_.run(make, deadline);
  if (!made.ok()) return made.status();
  if (!made->succeeded) return head_of(made->reads.front());
  head->revision = made->revision;
  return head;
}

Result<EtcdRows::All> EtcdRows::read_all(TimePoint deadline) {
  EtcdTxn txn;
  txn.read(with_prefix(tags_key_)).read(store_key_);
  const Result<EtcdTxn::Answer> answer = client_.run(txn, deadline);
  if (!answer.ok()) return answer.status();
  Result<StoreHead> head = head_of(answer->reads.back());
  if (!head.ok()) return head.status();
  return All{tags_of(answer->reads.front()), *std::move(head)};
}

// No tag is empty, so there is no such key, and none has revision 1.
Status EtcdRows::probe(TimePoint deadline) {
  EtcdTxn txn;
  txn.if_unchanged(tags_key_, 1).put(tags_key_, "").read(cluster_key_);
  const Result<EtcdTxn::Answer> answer = client_.run(txn, deadline);
  if (!answer.ok()) return answer.status();
  return check_cluster(answer->reads.front(), deadline);
}

}  // namespace featherid
