// SPDX-License-Identifier: MIT
#include "server/api/leases.h"

#include <limits>
#include <memory>
#include <string>

#include "lib/store/leader_term.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"

namespace featherid {

namespace {

// Leases of a store whose identity a test can set.
struct Desk {
  Desk() {
    REQUIRE(store->create("order", 1000).ok());
    store->on_identity = [this]() -> Result<StoreIdentity> { return identity; };
  }
  std::int64_t max_id() const { return store->memory().find("order")->max_id; }
  StatusCode lease_code(const StoreIdentity& known) {
    return leases.lease("order", 10, known).status().code();
  }
  // Of ids up to the end of a lease.
  Result<std::string> give_back(const Leases::Leased& leased, std::int64_t first,
                                std::int64_t applied = 0) {
    return leases.give_back({"order", first, {leased.receipt}, applied});
  }

  StoreIdentity identity{"mine", 2 * kOneLeader + 7};
  std::shared_ptr<test::FaultStore> store = std::make_shared<test::FaultStore>();
  Leases leases{store, 1000};
};

}  // namespace

TEST_CASE("a lease comes from the store, and names it", "[leases]") {
  Desk desk;
  const Result<Leases::Leased> leased = desk.leases.lease("order", {1, 500}, {});
  REQUIRE(leased.ok());
  CHECK(leased->range == IdRange{1, 501});
  CHECK(leased->store.name == "mine");
  CHECK(leased->store.term == desk.identity.term);
  CHECK(leased->receipt.size() == 32);
  CHECK(desk.leases.lease("order", 10, leased->store)->range == IdRange{501, 511});
  CHECK(desk.leases.lease("none", 10, {}).status().code() == StatusCode::kNotFound);
}

TEST_CASE("the size of a lease is bounded", "[leases]") {
  Desk desk;
  CHECK(desk.leases.lease("order", {1, kLeaseIdsMax}, {})->range == IdRange{1, 1001});
  CHECK(desk.leases.lease("order", {1000, 1001}, {})->range.size() == 1000);
  const Status refused = desk.leases.lease("order", 1001, {}).status();
  CHECK(refused.code() == StatusCode::kInvalidArgument);
  CHECK(refused.message().find("up to 1000 ids") != std::string::npos);
  for (const LeaseSize wrong : {LeaseSize(0), {6, 5}, {1, kLeaseIdsMax + 1}, {-1, -1}}) {
    CHECK(desk.leases.lease("order", wrong, {}).status().code() == StatusCode::kInvalidArgument);
  }
  CHECK(desk.max_id() == 2000);
}

TEST_CASE("a process that knows another store, or a newer one, leases nothing", "[leases]") {
  Desk desk;
  const std::int64_t term = desk.identity.term;
  CHECK(desk.lease_code({"another", term}) == StatusCode::kDataLoss);
  CHECK(desk.lease_code({"another", 0}) == StatusCode::kDataLoss);
  CHECK(desk.lease_code({"mine", 3 * kOneLeader}) == StatusCode::kDataLoss);
  CHECK(desk.lease_code({"mine", term + 1}) == StatusCode::kDataLoss);  // as many leaders
  CHECK(desk.leases.find("order", {"another", 0}).status().code() == StatusCode::kDataLoss);
  CHECK(desk.leases.find("order", {"mine", term + 1}).status().code() == StatusCode::kDataLoss);
  CHECK(desk.leases.changes(0, {"another", 0}).status().code() == StatusCode::kDataLoss);
  CHECK(desk.leases.changes(0, {"mine", term + 1}).status().code() == StatusCode::kDataLoss);
  CHECK(desk.leases.probe({"another", 0}).status().code() == StatusCode::kDataLoss);
  CHECK(desk.max_id() == 0);
  for (const StoreIdentity& known :
       {StoreIdentity{}, {"mine", 0}, {"mine", kOneLeader + 1}, {"mine", term}}) {
    CHECK(desk.lease_code(known) == StatusCode::kOk);
    CHECK(desk.leases.find("order", known).ok());
    CHECK(desk.leases.changes(0, known).ok());
    CHECK(desk.leases.probe(known).ok());
  }
}

TEST_CASE("a leader that this process has not seen yet is no reason to refuse", "[leases]") {
  Desk desk;
  const StoreIdentity before = desk.leases.lease("order", 1, {})->store;
  desk.identity.term = 3 * kOneLeader + 1;
  CHECK(desk.lease_code(desk.identity) == StatusCode::kOk);
  CHECK(desk.lease_code(before) == StatusCode::kOk);
}

// The store may be exchanged between the look at it and the lease.
TEST_CASE("a lease that met another store is not answered", "[leases]") {
  Desk desk;
  const StoreIdentity known = desk.leases.lease("order", 1, {})->store;
  desk.store->on_lease = [&](std::string_view tag, std::int64_t most) {
    desk.identity.term = kOneLeader;  // an old server is back
    return desk.store->memory().lease(tag, most);
  };
  CHECK(desk.lease_code(known) == StatusCode::kDataLoss);
  desk.store->on_lease = {};
  desk.identity = {"another", known.term};
  // Not even to a process that knows nothing.
  for (const StoreIdentity& any : {StoreIdentity(), known, desk.identity}) {
    CHECK(desk.lease_code(any) == StatusCode::kDataLoss);
  }
}

TEST_CASE("a lease whose store cannot be read afterwards is lost", "[leases]") {
  Desk desk;
  desk.store->on_identity = [] {
    return Result<StoreIdentity>(Status(StatusCode::kUnavailable, "it is down"));
  };
  CHECK(desk.lease_code({}) == StatusCode::kUnavailable);
  CHECK(desk.max_id() == 10);
}

TEST_CASE("the end of a lease goes back once, with its receipt", "[leases]") {
  Desk desk;
  const Result<Leases::Leased> leased = desk.leases.lease("order", 100, {});
  REQUIRE(leased.ok());
  CHECK(*desk.give_back(*leased, 61) == "");
  CHECK(desk.max_id() == 60);
  // Others lease the same ids. A request that comes again must not take them back.
  CHECK(desk.leases.lease("order", 40, {})->range == IdRange{61, 101});
  CHECK(desk.give_back(*leased, 61)->find("was used before") != std::string::npos);
  CHECK(desk.max_id() == 100);
}

TEST_CASE("the end of several leases in a row goes back at once", "[leases]") {
  Desk desk;
  const auto lease = [&] { return *desk.leases.lease("order", 10, {}); };
  const Leases::Leased first = lease();
  const Leases::Leased second = lease();
  const Leases::Leased third = lease();
  CHECK(*desk.leases.give_back({"order", 6, {third.receipt, second.receipt, first.receipt}, 0}) ==
        "");
  CHECK(desk.max_id() == 5);
  // Not with others between them, nor in another order, nor if one of them is unknown.
  const auto refused = [&](const std::vector<std::string>& receipts, std::int64_t begin) {
    const std::int64_t before = desk.max_id();
    const Result<std::string> reason = desk.leases.give_back({"order", begin, receipts, 0});
    CHECK((!reason.ok() || !reason->empty()));
    CHECK(desk.max_id() == before);
    for (const std::string& receipt : receipts) {  // all are used up
      CHECK_FALSE(desk.leases.give_back({"order", begin, {receipt}, 0})->empty());
    }
  };
  Leases::Leased a = lease();
  lease();
  Leases::Leased b = lease();
  refused({b.receipt, a.receipt}, a.range.first);
  a = lease();
  b = lease();
  refused({a.receipt, b.receipt}, a.range.first);
  b = lease();
  refused({b.receipt, std::string(32, 'f')}, b.range.first);
  b = lease();
  refused({b.receipt, b.receipt}, b.range.first);
}

TEST_CASE("a receipt that was tried in vain is used up", "[leases]") {
  Desk desk;
  const Result<Leases::Leased> first = desk.leases.lease("order", 10, {});
  const Result<Leases::Leased> second = desk.leases.lease("order", 10, {});
  CHECK(desk.give_back(*first, 6)->find("somebody has leased since") != std::string::npos);
  CHECK(*desk.give_back(*second, 11) == "");
  CHECK(desk.max_id() == 10);
  CHECK(desk.give_back(*first, 6)->find("was used before") != std::string::npos);
  CHECK(desk.max_id() == 10);
}

TEST_CASE("a receipt is for its own tag and its own ids", "[leases]") {
  Desk desk;
  REQUIRE(desk.store->create("user", 1000).ok());
  const auto refused = [&](const std::string& tag, std::int64_t first) {
    const Result<Leases::Leased> leased = desk.leases.lease("order", 10, {});
    const Leases::Tail tail{tag, leased->range.first + first, {leased->receipt}, 0};
    const std::int64_t before = desk.max_id();
    CHECK(desk.leases.give_back(tail).status().code() == StatusCode::kInvalidArgument);
    CHECK(desk.max_id() == before);
    CHECK(desk.leases.give_back({"order", leased->range.first, {leased->receipt}, 0}).ok());
    CHECK(desk.max_id() == before);  // it was used up
  };
  refused("user", 0);
  refused("order", -1);
  refused("order", 10);
  refused("order", 1000000);
}

TEST_CASE("nothing goes back to another leader or another store", "[leases]") {
  Desk desk;
  Result<Leases::Leased> leased = desk.leases.lease("order", 10, {});
  desk.identity.term += kOneLeader;
  CHECK(desk.give_back(*leased, 6)->find("leader of the rows has changed") != std::string::npos);
  CHECK(desk.max_id() == 10);
  leased = desk.leases.lease("order", 10, {});
  desk.identity.name = "another";
  CHECK(desk.give_back(*leased, 16).status().code() == StatusCode::kDataLoss);
  CHECK(desk.max_id() == 20);
}

TEST_CASE("what one process has applied is not what another may give back", "[leases]") {
  Desk desk;
  const Result<Leases::Leased> leased = desk.leases.lease("order", 100, {});
  REQUIRE(desk.store->rewind("order", 100, 0).ok());
  const std::int64_t version = desk.leases.changes(-1, {})->changes.version;
  CHECK(desk.leases.lease("order", 100, {})->range == IdRange{1, 101});
  CHECK(desk.leases.changes(version, {})->changes.limits.empty());  // another process has
  CHECK(desk.give_back(*leased, 51)->find("the tag was changed") != std::string::npos);
  REQUIRE(desk.max_id() == 100);
  const Result<Leases::Leased> later = desk.leases.lease("order", 10, {});
  CHECK(*desk.give_back(*later, 106, version) == "");
  CHECK(desk.max_id() == 105);
}

TEST_CASE("nobody has applied a change for ids that were leased before it", "[leases]") {
  Desk desk;
  const auto give_back = [&](const Leases::Leased& leased) {
    return *desk.give_back(leased, leased.range.first, std::numeric_limits<std::int64_t>::max());
  };
  const Result<Leases::Leased> old = desk.leases.lease("order", 100, {});
  REQUIRE(desk.store->rewind("order", 100, 0).ok());
  REQUIRE(desk.leases.changes(0, {}).ok());
  CHECK(desk.leases.lease("order", {50, 50}, {})->range == IdRange{1, 51});  // another process
  const Result<Leases::Leased> last = desk.leases.lease("order", {50, 50}, {});
  REQUIRE(last->range == IdRange{51, 101});
  CHECK(give_back(*old).find("the tag was changed") != std::string::npos);
  CHECK(desk.max_id() == 100);
  CHECK(give_back(*last).empty());
  CHECK(desk.max_id() == 50);
  // Two leases that follow one another, one on each side of a change.
  const Result<Leases::Leased> before = desk.leases.lease("order", 10, {});
  TagChange strict;
  strict.order = TagOrder::kStrict;
  REQUIRE(desk.store->update("order", strict).ok());
  REQUIRE(desk.leases.changes(0, {}).ok());
  const Result<Leases::Leased> after = desk.leases.lease("order", 10, {});
  const Leases::Tail tail{"order", before->range.first, {after->receipt, before->receipt}, 99};
  CHECK(desk.leases.give_back(tail)->find("the tag was changed") != std::string::npos);
  CHECK(desk.max_id() == 70);
}

}  // namespace featherid
