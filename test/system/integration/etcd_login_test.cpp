// SPDX-License-Identifier: MIT
// EtcdStore on a cluster that requires a login, while tokens end in the middle of leases.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "featherid/etcd_store.h"
#include "test/support/catch.h"
#include "test/support/etcd_cluster.h"
#include "test/support/patient_etcd.h"
#include "test/support/replace_file.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

using Step = std::vector<std::string>;

constexpr std::int64_t kLeaseIds = 3;

std::string with_login(const std::string& url, const std::string& login) {
  const std::size_t at = url.find("://") + 3;
  return url.substr(0, at) + login + "@" + url.substr(at);
}

std::unique_ptr<Store> open(const std::string& url) {
  return open_etcd_store(url, patient_etcd()).value();
}

IdRange leased(Store& store) {
  const Result<IdRange> range = lease_patiently(store);
  INFO(range.status());
  REQUIRE(range.ok());
  return *range;
}

// The users root:r00t, and `ids` with that password.
void require_login(EtcdCluster& cluster, const std::string& password) {
  for (const Step& step : std::vector<Step>{
           {"user", "add", "root:r00t"},
           {"user", "add", "ids:" + password},
           {"role", "add", "ids"},
           {"role", "grant-permission", "ids", "readwrite", "/featherid/", "--prefix=true"},
           {"user", "grant-role", "ids", "ids"},
           {"user", "grant-role", "root", "root"},
           {"auth", "enable"}}) {
    cluster.ctl(step);
  }
}

void as_root(EtcdCluster& cluster, Step step) {
  step.insert(step.begin(), "--user=root:r00t");
  cluster.ctl(step);
}

// Signs tokens of the cluster with a key of its own.
std::string jwt_flag(const ScratchDir& scratch, int ttl_s) {
  const std::string key = scratch.file("jwt.key");
  const std::string pub = scratch.file("jwt.pub");
  run({"openssl", "genrsa", "-out", key, "2048"}, {scratch.file("openssl.log"), "", {}, 0});
  run({"openssl", "rsa", "-in", key, "-pubout", "-out", pub},
      {scratch.file("openssl.log"), "", {}, 0});
  return "--auth-token=jwt,pub-key=" + pub + ",priv-key=" + key +
         ",sign-method=RS256,ttl=" + std::to_string(ttl_s) + "s";
}

// Threads that lease from one tag over one store, as fast as they can.
class Threads {
 public:
  Threads(const std::string& url, int count) : store_(open(url)) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { lease(); });
  }
  ~Threads() { stop(); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  bool get_on() const {
    // While the machine stands still, tokens end, too.
    return wait_until([this, before = leases_.load()] { return leases_ > before + 20; },
                      std::chrono::minutes(2));
  }
  int leases() const { return leases_; }

  // Once they have stopped.
  std::vector<IdRange> ranges;
  std::vector<Status> errors;

 private:
  void lease() {
    while (!stopping_) {
      const Result<IdRange> range = store_->lease("order", kLeaseIds);
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (range.ok()) ranges.push_back(*range);
        if (!range.ok()) errors.push_back(range.status());
      }
      if (range.ok()) ++leases_;
      if (!range.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  const std::unique_ptr<Store> store_;
  std::mutex mutex_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> leases_{0};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("etcd: a login is needed if the cluster says so, and is made again when it expires",
          "[etcd]") {
  EtcdCluster::Options options;
  options.more_flags = {"--auth-token-ttl=1"};
  EtcdCluster cluster(1, options);
  require_login(cluster, "p@ss/w0rd");
  const std::string url = with_login(cluster.url(), "ids:p%40ss%2Fw0rd");
  std::vector<std::string> made;
  const Status init = init_patiently(url, &made);
  INFO(init);
  REQUIRE(init.ok());
  CHECK(made.size() == 3);
  const auto store = open(url);
  CHECK(leased(*store) == IdRange{1, 11});
  std::this_thread::sleep_for(std::chrono::milliseconds(3000));  // the token expires
  CHECK(leased(*store) == IdRange{11, 21});
  CHECK(store->probe().ok());

  const Status none = open(cluster.url())->lease("order", 10).status();
  INFO(none);
  CHECK(none.code() == StatusCode::kFailedPrecondition);
  CHECK(says(none, "requires a login"));
  const Status wrong = open(with_login(cluster.url(), "ids:wr0ng"))->lease("order", 10).status();
  INFO(wrong);
  CHECK(wrong.code() == StatusCode::kFailedPrecondition);
  CHECK(says(wrong, "check user and password"));
  CHECK_FALSE(says(wrong, "wr0ng"));
  const auto elsewhere = open(with_login(cluster.url("other"), "ids:p%40ss%2Fw0rd"));
  const Status denied = elsewhere->lease("order", 10).status();
  INFO(denied);
  CHECK(denied.code() == StatusCode::kFailedPrecondition);
  CHECK(says(denied, "grant-permission"));
  CHECK(elsewhere->probe().code() == StatusCode::kFailedPrecondition);

  // The password is changed in its file, without a restart.
  const ScratchDir scratch;
  replace_file(scratch.file("password"), "p@ss/w0rd\n");
  const auto from_file =
      open(with_login(cluster.url(), "ids") + "?password-file=" + scratch.file("password"));
  CHECK(leased(*from_file).first > 20);
  as_root(cluster, {"user", "delete", "ids"});
  as_root(cluster, {"user", "add", "ids:new"});
  as_root(cluster, {"user", "grant-role", "ids", "ids"});
  replace_file(scratch.file("password"), "new\n");
  CHECK(leased(*from_file).first > 30);
}

// No connection fails here, so no answer is lost. If a transaction that etcd refused were applied,
// or one that it granted were sent again, ids would be missing.
TEST_CASE("etcd: tokens that end in the middle of leases cost no id", "[etcd]") {
  const ScratchDir scratch;
  const bool jwt = GENERATE(false, true);
  CAPTURE(jwt);
  EtcdCluster::Options options;
  options.more_flags = {jwt ? jwt_flag(scratch, 2) : "--auth-token-ttl=1"};
  EtcdCluster cluster(1, options);
  const std::string password = scratch.file("password");
  replace_file(password, "first\n");
  const std::string url = with_login(cluster.url(), "ids") + "?password-file=" + password;
  require_login(cluster, "first");
  REQUIRE(init_patiently(url).ok());

  std::vector<std::unique_ptr<Threads>> processes;
  for (const int threads : {8, 4, 2}) processes.push_back(std::make_unique<Threads>(url, threads));
  const auto all_get_on = [&] {
    return std::all_of(processes.begin(), processes.end(),
                       [](const auto& each) { return each->get_on(); });
  };
  for (const std::string round : {"1", "2", "3"}) {
    CAPTURE(round);
    REQUIRE(all_get_on());
    std::this_thread::sleep_for(std::chrono::seconds(2));  // a token of JWT ends
    REQUIRE(all_get_on());
    as_root(cluster, {"auth", "disable"});
    REQUIRE(all_get_on());
    cluster.ctl({"auth", "enable"});
    REQUIRE(all_get_on());
    as_root(cluster, {"role", "grant-permission", "ids", "readwrite", "/other-" + round});
    REQUIRE(all_get_on());
    as_root(cluster, {"user", "delete", "ids"});
    as_root(cluster, {"user", "add", "ids:new-" + round});
    as_root(cluster, {"user", "grant-role", "ids", "ids"});
    replace_file(password, "new-" + round + "\n");
    REQUIRE(all_get_on());
  }
  std::vector<IdRange> ranges;
  for (const auto& process : processes) {
    process->stop();
    ranges.insert(ranges.end(), process->ranges.begin(), process->ranges.end());
    std::cout << "etcd, tokens end: " << process->leases() << " leases, " << process->errors.size()
              << " errors" << std::endl;
    for (const Status& error : process->errors) {
      INFO(error);
      // There is no such user, or it has no role, or there were two changes in a row.
      CHECK((says(error, "check user and password") || says(error, "grant-permission") ||
             says(error, "although a login has just succeeded") || stood_still(error)));
    }
  }
  const auto count_ids = static_cast<std::int64_t>(ranges.size()) * kLeaseIds;
  check_no_id_twice(std::move(ranges), count_ids);
  CHECK(open(url)->find("order")->max_id == count_ids);
}
