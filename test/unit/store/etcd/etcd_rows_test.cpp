// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_rows.h"

#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/unit/store/etcd/fake_etcd.h"

namespace featherid {

namespace {

using test::FakeEtcd;
using Needs = EtcdRows::Needs;

KeyView read(EtcdRows& rows, const std::vector<std::string>& names, Needs needs = Needs::kTags) {
  Result<KeyView> view = rows.read(names, needs, rows.deadline());
  INFO(view.status());
  REQUIRE(view.ok());
  return *std::move(view);
}

bool write(EtcdRows& rows, KeyView* view, const EtcdRows::Writes& writes, Needs needs) {
  const Result<bool> written = rows.write(view, writes, needs, rows.deadline());
  INFO(written.status());
  REQUIRE(written.ok());
  return *written;
}

}  // namespace

TEST_CASE("keys are written if they are as they were read", "[etcd_rows]") {
  FakeEtcd etcd;
  etcd.put("/x/tags/order", R"({"max_id":5,"step":10})");
  EtcdRows rows(*parse_etcd_url(etcd.url()), test::patient_etcd());
  KeyView view = read(rows, {"order", "user"});
  CHECK(view.tags[0].stored.row->max_id == 5);
  CHECK_FALSE(view.tags[1].stored.row);
  CHECK(view.tags[1].revision == 0);
  view.tags[0].stored.row->max_id = 6;
  view.tags[1].stored.row = SegmentRow{"user", 1, 2};
  CHECK(write(rows, &view, {{0, 1}, {}}, Needs::kTags));
  CHECK(etcd.get("/x/tags/user") == R"({"max_id":1,"step":2})");
  CHECK(rows.recall({"order", "user"})->tags[0].revision == view.tags[0].revision);
  etcd.put("/x/tags/order", R"({"max_id":50,"step":10})");
  view.tags[1].stored.row->max_id = 9;
  CHECK_FALSE(write(rows, &view, {{1}, {}}, Needs::kTags));
  CHECK(view.tags[0].stored.row->max_id == 50);
  CHECK(view.tags[1].stored.row->max_id == 1);
}

TEST_CASE("each change of a tag is counted", "[etcd_rows]") {
  FakeEtcd etcd;
  EtcdRows rows(*parse_etcd_url(etcd.url()), test::patient_etcd());
  KeyView first = read(rows, {"order"}, Needs::kHead);
  KeyView second = read(rows, {"user"}, Needs::kHead);
  CHECK(first.head->revision == 0);
  first.tags[0].stored.row = SegmentRow{"order", 0, 1};
  second.tags[0].stored.row = SegmentRow{"user", 0, 1};
  CHECK(write(rows, &first, {{0}, {}}, Needs::kHead));
  CHECK_FALSE(write(rows, &second, {{0}, {}}, Needs::kHead));  // it states an older head
  CHECK(second.head->changes == 1);
  second.tags[0].stored.row = SegmentRow{"user", 0, 1};
  CHECK(write(rows, &second, {{0}, {}}, Needs::kHead));
  const auto all = rows.read_all(rows.deadline());
  REQUIRE(all.ok());
  CHECK(all->head.changes == 2);
  CHECK(all->head.name == rows.head(rows.deadline())->name);
  CHECK(all->tags.size() == 2);
  etcd.put("/x/store", "5");
  CHECK(rows.head(rows.deadline()).status().code() == StatusCode::kFailedPrecondition);
}

TEST_CASE("a lease states the cluster", "[etcd_rows]") {
  FakeEtcd etcd;
  etcd.put("/x/tags/order", R"({"max_id":5,"step":10})");
  EtcdRows rows(*parse_etcd_url(etcd.url()), test::patient_etcd());
  KeyView view = read(rows, {"order"}, Needs::kCluster);
  CHECK(etcd.get("/x/cluster") == "101");
  etcd.put("/x/cluster", "stopped");
  CHECK(rows.write(&view, {{0}, {}}, Needs::kCluster, rows.deadline()).status().code() ==
        StatusCode::kDataLoss);
  CHECK(rows.probe(rows.deadline()).code() == StatusCode::kDataLoss);
  CHECK(etcd.get("/x/tags/order") == R"({"max_id":5,"step":10})");
  etcd.put("/x/cluster", "");
  CHECK(rows.probe(rows.deadline()).ok());
  CHECK(etcd.get("/x/cluster") == "101");
  CHECK(etcd.get("/x/tags/").empty());  // a probe writes nothing
}

}  // namespace featherid
