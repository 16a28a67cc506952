// SPDX-License-Identifier: MIT
// HttpStore over real servers: what fails between a process and the store costs ids, never a
// duplicate.
#include "featherid/http_store.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/soci_store.h"
#include "test/support/authority.h"
#include "test/support/catch.h"
#include "test/support/forwarder.h"
#include "test/support/ports.h"
#include "test/support/raw_client.h"
#include "test/support/stopwatch.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string url_of(int port) { return "http://127.0.0.1:" + std::to_string(port); }

HttpStoreOptions quick() {
  HttpStoreOptions options;
  options.call_timeout = milliseconds(1500);
  options.connect_timeout = milliseconds(300);
  return options;
}

std::unique_ptr<Store> open(const std::string& addresses, const HttpStoreOptions& options = {}) {
  Result<std::unique_ptr<Store>> store = open_http_store(addresses, options);
  REQUIRE(store.ok());
  return *std::move(store);
}

// Leases, trying again while the store cannot serve.
IdRange must_lease(Store& store, std::int64_t count) {
  Result<IdRange> range = Status(StatusCode::kUnavailable, "");
  wait_until([&] {
    range = store.lease("order", count);
    return range.status().code() != StatusCode::kUnavailable;
  });
  INFO(range.status());
  REQUIRE(range.ok());
  return *range;
}

// The numbers of ids that came twice among ranges.
std::size_t duplicates(const std::vector<IdRange>& ranges) {
  std::set<std::int64_t> seen;
  std::size_t twice = 0;
  for (const IdRange& range : ranges) {
    for (std::int64_t id = range.first; id < range.end; ++id) twice += !seen.insert(id).second;
  }
  return twice;
}

std::int64_t max_id_in(const std::string& file) {
  return (*open_soci_store("sqlite3:" + file))->find("order")->max_id;
}

// An address that nobody takes while its server is down. An outgoing connection could get a port
// that the kernel has chosen.
std::string lasting_address() { return "127.0.0.1:" + std::to_string(free_port()); }

std::string database_flag(const ScratchDir& scratch) { return "sqlite3:" + scratch.file("ids.db"); }

}  // namespace

TEST_CASE("a process goes on with another server when one is killed, and no id comes twice",
          "[e2e][http_store]") {
  const ScratchDir scratch;
  const ScratchDir second_scratch;
  const std::vector<std::string> lasting = {"--listen", lasting_address()};
  ServerProcess first(scratch, lasting);
  const std::vector<std::string> flags = {"--database", database_flag(scratch)};
  ServerProcess second(second_scratch, flags);
  const std::string addresses = url_of(first.port()) + "," + url_of(second.port());
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < 6; ++i) stores.push_back(open(addresses, quick()));
  std::vector<IdRange> ranges;
  const auto lease_all = [&](int times) {
    for (int i = 0; i < times; ++i) {
      for (const auto& store : stores) ranges.push_back(must_lease(*store, 10));
    }
  };
  lease_all(3);
  first.process().signal(SIGKILL);
  first.process().wait(seconds(20));
  lease_all(3);
  ServerProcess back(scratch, lasting);
  second.process().signal(SIGKILL);
  second.process().wait(seconds(20));
  lease_all(3);
  CHECK(duplicates(ranges) == 0);
}

TEST_CASE("a lease whose answer is lost is a gap, wherever the connection is cut",
          "[e2e][http_store]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  Forwarder network(server.port());
  const auto store = open(url_of(network.port()));  // its calls fail by the cuts, not by their time
  std::vector<IdRange> ranges = {must_lease(*store, 10)};
  int failed = 0;
  for (const Forwarder::Direction direction :
       {Forwarder::Direction::kToServer, Forwarder::Direction::kToClient}) {
    for (const std::int64_t bytes : {0, 60, 110, 150, 180, 300, 350, 400}) {
      network.begin_cutting(direction, bytes);
      for (int i = 0; i < 4; ++i) {
        const Result<IdRange> range = store->lease("order", 10);
        failed += !range.ok();
        if (range.ok()) ranges.push_back(*range);
        if (!range.ok()) CHECK(range.status().code() == StatusCode::kUnavailable);
      }
      network.end_cutting();
      ranges.push_back(must_lease(*store, 10));
    }
  }
  CHECK(failed > 10);
  CHECK(duplicates(ranges) == 0);
  const std::int64_t max_id = max_id_in(scratch.file("ids.db"));
  CHECK(ranges.back().last() == max_id);
  // Some were leased and lost, and nothing was asked for twice: no more were leased than asked for.
  CHECK(max_id > static_cast<std::int64_t>(10 * ranges.size()));
  CHECK(max_id <= static_cast<std::int64_t>(10 * ranges.size()) + 10 * failed);
}

TEST_CASE("two servers with two databases stop the tag", "[e2e][http_store]") {
  const ScratchDir scratch;
  const ScratchDir other_scratch;
  auto first = std::make_unique<ServerProcess>(scratch);
  auto second = std::make_unique<ServerProcess>(other_scratch);  // ids.db of its own, by default
  const std::vector<std::string> files = {scratch.file("ids.db"), other_scratch.file("ids.db")};
  const std::shared_ptr<Store> store =
      open(url_of(first->port()) + "," + url_of(second->port()), quick());
  AllocatorOptions options;
  options.wait_timeout = seconds(20);
  SegmentAllocator ids(store, options);
  REQUIRE(ids.next_id("order").ok());
  const bool uses_first = store->leader() == url_of(first->port());
  (uses_first ? first : second).reset();
  const std::string& wrong = files[uses_first ? 1 : 0];
  // From memory, and then kDataLoss instead of ids of the other database.
  Status status;
  CHECK(wait_until([&] {
    for (int i = 0; i < 1000 && status.ok(); ++i) status = ids.next_range("order", 10).status();
    if (status.code() != StatusCode::kDataLoss) status = Status();
    return !status.ok();
  }));
  INFO(status);
  CHECK(status.code() == StatusCode::kDataLoss);
  CHECK(status.message().find("the same database") != std::string::npos);
  CHECK(max_id_in(wrong) == 0);
}

TEST_CASE("a process notices a database that was restored from a backup", "[e2e][http_store]") {
  const ScratchDir scratch;
  const std::vector<std::string> lasting = {"--listen", lasting_address()};
  auto server = std::make_unique<ServerProcess>(scratch, lasting);
  const int port = server->port();
  const auto stop = [&] { CHECK(server->process().stop() == 0); };
  const auto start = [&] { server = std::make_unique<ServerProcess>(scratch, lasting); };
  stop();
  std::filesystem::copy_file(scratch.file("ids.db"), scratch.file("backup.db"));
  start();
  AllocatorOptions options;
  options.wait_timeout = seconds(20);
  SegmentAllocator ids(open(url_of(port), quick()), options);
  REQUIRE(ids.next_range("order", 5000).ok());
  stop();
  std::filesystem::copy_file(scratch.file("backup.db"), scratch.file("ids.db"),
                             std::filesystem::copy_options::overwrite_existing);
  start();
  Status status;
  CHECK(wait_until([&] {
    status = ids.next_range("order", 1000).status();
    return status.code() == StatusCode::kDataLoss;
  }));
  INFO(status);
}

TEST_CASE("a give-back that is replayed, forged, or sent to another server gives nothing back",
          "[e2e][http_store]") {
  const ScratchDir scratch;
  const ScratchDir other_scratch;
  const ServerProcess server(scratch);
  const ServerProcess other(other_scratch, {"--database", database_flag(scratch)});
  Forwarder network(server.port());
  network.begin_recording();
  const auto store = open(url_of(network.port()));
  const std::string file = scratch.file("ids.db");
  CHECK(*store->lease("order", 100) == IdRange{1, 101});
  CHECK(*store->give_back("order", {61, 101}));
  CHECK(max_id_in(file) == 60);
  // Somebody else leases the same ids.
  CHECK(*open(url_of(other.port()))->lease("order", 40) == IdRange{61, 101});
  const std::string sent = network.recorded();
  const std::string request = sent.substr(sent.find("POST /api/v1/lease/give_back"));
  REQUIRE(request.size() < sent.size());
  const auto replay = [&](int port, const std::string& bytes) {
    const RawClient client(port);
    client.send(bytes);
    return client.read_until("}}").value_or("");
  };
  CHECK(replay(server.port(), request).find("\"given_back\":false") != std::string::npos);
  CHECK(max_id_in(file) == 100);

  // A good receipt of a lease that nobody has given back, at the wrong server, and changed.
  CHECK(*store->lease("order", 100) == IdRange{101, 201});
  const Answer leased = server.post("/api/v1/lease?biz_tag=order&count=50");
  const std::string receipt = leased.body["data"]["receipt"];
  const std::string target = "/api/v1/lease/give_back?biz_tag=order&first=201&receipt=";
  CHECK(other.post(target + receipt).body["data"]["given_back"] == false);
  std::string forged = receipt;
  forged[7] = forged[7] == 'a' ? 'b' : 'a';
  CHECK(server.post(target + forged).body["data"]["given_back"] == false);
  CHECK(max_id_in(file) == 250);
  CHECK(server.post(target + receipt).body["data"]["given_back"] == true);
  CHECK(server.post(target + receipt).body["data"]["given_back"] == false);
  CHECK(max_id_in(file) == 200);
}

TEST_CASE("a restarted server accepts no receipt from before", "[e2e][http_store]") {
  const ScratchDir scratch;
  const std::vector<std::string> lasting = {"--listen", lasting_address()};
  auto server = std::make_unique<ServerProcess>(scratch, lasting);
  const auto store = open(url_of(server->port()));
  CHECK(*store->lease("order", 100) == IdRange{1, 101});
  CHECK(server->process().stop() == 0);
  server = std::make_unique<ServerProcess>(scratch, lasting);
  CHECK_FALSE(*store->give_back("order", {61, 101}));
  CHECK(max_id_in(scratch.file("ids.db")) == 100);
}

TEST_CASE("an allocator gives its tails back through the server", "[e2e][http_store]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  SegmentAllocator ids(open(url_of(server.port())));
  CHECK(*ids.next_id("order") == 1);
  CHECK(ids.shutdown() > 0);
  CHECK(max_id_in(scratch.file("ids.db")) == 1);
}

TEST_CASE("who may lease, and what it may not do", "[e2e][http_store][auth]") {
  const ScratchDir scratch;
  std::ofstream(scratch.file("tokens"))
      << "ann admin ann-secret\napp lease app-secret\nbob read bob-secret\n";
  const ServerProcess server(scratch, {"--admin-token-file", scratch.file("tokens")});
  const auto with = [&](const std::string& token) {
    HttpStoreOptions options;
    options.token = token;
    return open(url_of(server.port()), options);
  };
  for (const char* token : {"", "wrong", "bob-secret"}) {
    CAPTURE(token);
    const auto store = with(token);
    for (const Status& status : {store->lease("order", 10).status(), store->find("order").status(),
                                 store->probe(), store->changes(0).status()}) {
      INFO(status);
      CHECK(status.code() == StatusCode::kFailedPrecondition);
    }
  }
  const auto app = with("app-secret");
  CHECK(app->lease("order", 10)->size() == 10);
  CHECK(app->find("order")->max_id == 10);
  CHECK(app->info("order").ok());
  CHECK(app->create("new", 10).code() == StatusCode::kFailedPrecondition);
  CHECK(app->rewind("order", 10, 0).status().code() == StatusCode::kFailedPrecondition);
  CHECK(*app->give_back("order", {6, 11}));
  const auto ann = with("ann-secret");
  CHECK(ann->create("new", 10).ok());
  CHECK(ann->lease("new", 10)->first == 1);
}

TEST_CASE("a process leases over TLS, from servers whose certificate it trusts",
          "[e2e][http_store][tls]") {
  const ScratchDir scratch;
  Authority authority;
  Authority stranger;
  const auto certificate = authority.issue("IP:127.0.0.1");
  const ServerProcess server(
      scratch, {"--tls-cert", certificate.cert_file, "--tls-key", certificate.key_file});
  const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
  HttpStoreOptions options;
  options.ca_file = authority.ca_file();
  const auto store = open(url, options);
  for (int i = 0; i < 3; ++i) CHECK(store->lease("order", 10)->size() == 10);
  CHECK(*store->give_back("order", {26, 31}));
  options.ca_file = stranger.ca_file();
  Status refused = open(url, options)->lease("order", 10).status();
  INFO(refused);
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(refused.message().find("certificate is not trusted") != std::string::npos);
  refused = open(url_of(server.port()), options)->lease("order", 10).status();
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(max_id_in(scratch.file("ids.db")) == 25);
}

TEST_CASE("a server that is stopped holds up a call only for its time", "[e2e][http_store]") {
  const ScratchDir scratch;
  const ScratchDir second_scratch;
  ServerProcess slow(scratch);
  const ServerProcess server(second_scratch, {"--database", database_flag(scratch)});
  const auto store = open(url_of(slow.port()) + " " + url_of(server.port()), quick());
  // Until the one that will be slow is the first choice.
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < 8; ++i) {
    stores.push_back(open(url_of(slow.port()) + " " + url_of(server.port()), quick()));
    must_lease(*stores.back(), 10);
  }
  slow.process().signal(SIGSTOP);
  std::vector<IdRange> ranges;
  for (const auto& each : stores) {
    const Stopwatch watch;
    const Result<IdRange> range = each->lease("order", 10);
    CHECK(watch.elapsed() < seconds(10));
    if (range.ok()) ranges.push_back(*range);
    ranges.push_back(must_lease(*each, 10));
  }
  slow.process().signal(SIGCONT);
  for (const auto& each : stores) ranges.push_back(must_lease(*each, 10));
  CHECK(duplicates(ranges) == 0);
}

TEST_CASE("a server runs on other servers, and they may be killed", "[e2e][http_store]") {
  const ScratchDir scratch;
  const ScratchDir second_scratch;
  const ScratchDir edge_scratch;
  ServerProcess first(scratch);
  ServerProcess second(second_scratch, {"--database", database_flag(scratch)});
  const ServerProcess edge(edge_scratch,
                           {"--database", url_of(first.port()) + "," + url_of(second.port()),
                            "--auto-create", "shop-*"});
  std::set<std::int64_t> seen;
  const auto take = [&](int count) {
    for (int i = 0; i < count; ++i) CHECK(seen.insert(edge.id()).second);
  };
  take(10);
  CHECK(edge.get("/readyz").status == 200);
  CHECK(edge.id("shop-a") == 1);
  CHECK(edge.post("/api/v1/tag?biz_tag=made&owner=ann").status == 200);
  CHECK(edge.get("/api/v1/tag?biz_tag=made").body["data"]["owner"] == "ann");
  CHECK(edge.get("/api/v1/tag?biz_tag=made").body["data"]["created_by"] == "loopback");
  CHECK(edge.post("/api/v1/tag?biz_tag=made&owner=ann").status == 200);  // the same call again
  // A process may lease from that server in turn.
  const auto store = open(url_of(edge.port()));
  std::vector<IdRange> ranges;
  for (int i = 0; i < 5; ++i) ranges.push_back(must_lease(*store, 100));
  CHECK(*store->give_back("order", {ranges.back().first + 50, ranges.back().end}));
  first.process().signal(SIGKILL);
  take(10);
  for (int i = 0; i < 5; ++i) ranges.push_back(must_lease(*store, 2000));
  ranges[4].end = ranges[4].first + 50;
  CHECK(duplicates(ranges) == 0);
  for (const IdRange& range : ranges) {
    for (const std::int64_t id : seen) CHECK((id < range.first || id >= range.end));
  }
  second.process().signal(SIGKILL);
  const Result<IdRange> none = store->lease("order", 10);
  CHECK(none.status().code() == StatusCode::kUnavailable);
}

}  // namespace featherid::test
