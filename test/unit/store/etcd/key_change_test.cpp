// SPDX-License-Identifier: MIT
#include "lib/store/etcd/key_change.h"

#include <string>

#include "test/support/catch.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

namespace {

using test::FakeEtcd;
using Needs = EtcdRows::Needs;

constexpr const char* kOrder = "/x/tags/order";

// Adds 1 to max_id, unless it is `refused`. Counts how often it runs.
struct AddOne {
  std::int64_t refused = -1;
  int* runs;
  Result<PlannedChange<std::int64_t>> operator()(KeyView& view) const {
    ++*runs;
    SegmentRow& row = *view.tags.front().stored.row;
    if (row.max_id == refused) return Status(StatusCode::kExhausted, "refused");
    return PlannedChange<std::int64_t>{++row.max_id};
  }
};

}  // namespace

TEST_CASE("a change runs again if another process was faster", "[key_change]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":5,"step":10})");
  EtcdRows rows(*parse_etcd_url(etcd.url()), test::patient_etcd());
  int runs = 0;
  CHECK(*change_keys<std::int64_t>(rows, {"order"}, Needs::kTags, AddOne{-1, &runs}) == 6);
  CHECK(runs == 1);
  etcd.put(kOrder, R"({"max_id":50,"step":10})");
  CHECK(*change_keys<std::int64_t>(rows, {"order"}, Needs::kTags, AddOne{-1, &runs}) == 51);
  CHECK(runs == 3);
}

TEST_CASE("what was refused of a remembered key is looked at again", "[key_change]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":5,"step":10})");
  EtcdRows rows(*parse_etcd_url(etcd.url()), test::patient_etcd());
  int runs = 0;
  CHECK(*change_keys<std::int64_t>(rows, {"order"}, Needs::kTags, AddOne{-1, &runs}) == 6);
  etcd.put(kOrder, R"({"max_id":20,"step":10})");
  CHECK(*change_keys<std::int64_t>(rows, {"order"}, Needs::kTags, AddOne{6, &runs}) == 21);
  CHECK(runs == 3);
  const auto refused =
      change_keys<std::int64_t>(rows, {"order"}, Needs::kTags, AddOne{21, &runs}).status();
  CHECK(refused.code() == StatusCode::kExhausted);
  CHECK(runs == 5);
}

TEST_CASE("a change that nobody lets happen ends at the deadline", "[key_change]") {
  FakeEtcd etcd;
  etcd.put(kOrder, R"({"max_id":5,"step":10})");
  EtcdStoreOptions options;
  options.call_timeout = std::chrono::milliseconds(300);
  EtcdRows rows(*parse_etcd_url(etcd.url()), options);
  const auto outrun = [&](KeyView& view) {
    etcd.put(kOrder, view.tags.front().stored.text());
    return Result<PlannedChange<bool>>(PlannedChange<bool>{true});
  };
  CHECK(change_keys<bool>(rows, {"order"}, Needs::kTags, outrun).status().code() ==
        StatusCode::kUnavailable);
}

}  // namespace featherid
