// SPDX-License-Identifier: MIT
// The clients' view of a database that goes away and comes back.
#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/forwarder.h"
#include "test/support/frozen.h"
#include "test/support/mysql_server.h"
#include "test/support/ports.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"
#include "test/system/e2e/steady_load.h"

namespace featherid::test {

namespace {

using Clock = SteadyLoad::Clock;
using Seconds = std::chrono::duration<double>;
using Requests = std::vector<SteadyLoad::Request>;

constexpr std::chrono::seconds kRecovery(5);  // observed after the database is back

// FEATHERID_OUTAGE_HOLD and FEATHERID_OUTAGE_SECONDS ask for longer times than a test takes.
std::chrono::seconds from_environment(const char* name, int otherwise) {
  const char* const wanted = std::getenv(name);
  return std::chrono::seconds(wanted != nullptr ? std::atoi(wanted) : otherwise);
}

std::chrono::seconds hold() { return from_environment("FEATHERID_OUTAGE_HOLD", 2); }
std::chrono::seconds long_outage() { return from_environment("FEATHERID_OUTAGE_SECONDS", 10); }

// A database server, and the ways in which it can be unavailable.
class Database {
 public:
  explicit Database(InnodbServer& server) : server_(server), address_(server.port()) {}

  enum class Gone { kKilled, kFrozen, kRefused, kSilent };

  // The address that can also refuse connections and be silent.
  std::string url() const { return with_port(server_.url(), address_.port()); }

  // No forwarder in between, because one that connects to a stopped server stops as well.
  std::string own_url() const { return server_.url(); }

  void leave(Gone how) {
    how_ = how;
    if (how == Gone::kKilled) server_.stop(SIGKILL);
    if (how == Gone::kFrozen) frozen_.emplace(server_.pid());
    if (how == Gone::kRefused) address_.switch_to(free_port());
    if (how == Gone::kSilent) address_.switch_to(hole_.port());
  }
  void come_back() {
    if (how_ == Gone::kKilled) server_.start();
    if (how_ == Gone::kFrozen) frozen_.reset();
    if (how_ == Gone::kRefused || how_ == Gone::kSilent) address_.switch_to(server_.port());
  }

 private:
  InnodbServer& server_;
  Forwarder address_;
  BlackHole hole_;
  std::optional<Frozen> frozen_;
  Gone how_ = Gone::kRefused;
};

// A server's metrics at one moment.
class Figures {
 public:
  explicit Figures(const ServerProcess& server) : port_(server.port()) {
    if (const auto result = httplib::Client("127.0.0.1", port_).Get("/metrics")) {
      text_ = "\n" + result->body;
    }
    read_ = Clock::now();
  }

  int port() const { return port_; }
  Clock::time_point read() const { return read_; }
  // The sum over the samples of a metric, whatever their labels.
  double sum(const std::string& name) const {
    double sum = 0;
    for (std::size_t at = 0; (at = text_.find("\n" + name, at)) != std::string::npos; ++at) {
      const char after = text_[at + 1 + name.size()];
      if (after == '{' || after == ' ') sum += std::atof(text_.c_str() + text_.find(' ', at));
    }
    return sum;
  }
  // How long it can serve without its database.
  Seconds promised() const { return Seconds(sum("featherid_outage_survivable_min_seconds")); }

 private:
  int port_;
  std::string text_;
  Clock::time_point read_;
};

// One database, some servers, and clients that use ids steadily.
class Scene {
 public:
  Scene(InnodbServer& server, int servers, bool through_address) : database_(server) {
    const std::string url = through_address ? database_.url() : database_.own_url();
    REQUIRE(run_server(scratch_, {"--database", url, "--init-schema"}).exit_code == 0);
    std::vector<int> ports;
    for (int i = 0; i < servers; ++i) {
      servers_.push_back(std::make_unique<ServerProcess>(
          scratch_,
          std::vector<std::string>{"--database", url, "--call-timeout", "2s", "--request-timeout",
                                   "2s", "--hold", std::to_string(hold().count()) + "s"}));
      ports.push_back(servers_.back()->port());
    }
    load_ = std::make_unique<SteadyLoad>(ports);
  }

  Database& database() { return database_; }
  SteadyLoad& load() { return *load_; }
  int servers() const { return static_cast<int>(servers_.size()); }

  // Waits until the whole hold is there at a settled burn rate. Returns each server's metrics then.
  std::vector<Figures> warm_up() const {
    std::this_thread::sleep_for(2 * hold());
    std::vector<Figures> warm;
    REQUIRE(wait_until([&] {
      warm.clear();
      for (const auto& server : servers_) warm.emplace_back(*server);
      return std::all_of(warm.begin(), warm.end(),
                         [](const Figures& said) { return said.promised() >= hold(); });
    }));
    return warm;
  }

  double leases() const { return sum("featherid_leases_total"); }
  double lease_failures() const { return sum("featherid_lease_failures_total"); }

 private:
  double sum(const std::string& name) const {
    double sum = 0;
    for (const auto& server : servers_) sum += Figures(*server).sum(name);
    return sum;
  }

  ScratchDir scratch_;
  Database database_;
  std::vector<std::unique_ptr<ServerProcess>> servers_;
  std::unique_ptr<SteadyLoad> load_;
};

// Clients do not notice an outage as long as the hold.
void check_invisible(Scene& scene, Database::Gone how) {
  scene.warm_up();
  const Clock::time_point before = Clock::now();
  std::this_thread::sleep_for(hold());
  const Clock::time_point begin = Clock::now();
  scene.database().leave(how);
  std::this_thread::sleep_until(begin + hold());
  const Clock::time_point end = Clock::now();
  scene.database().come_back();
  const Requests normal = scene.load().between(before, begin);
  const Requests during = scene.load().between(begin, end);
  const double ratio = Seconds(usual_p99_of(during)) / Seconds(usual_p99_of(normal));
  WARN(scene.servers() << " server(s), " << hold().count()
                       << " s without a database: " << during.size() << " requests, "
                       << errors_in(during) << " errors, p99 " << p99_of(during).count()
                       << " us after " << p99_of(normal).count() << " us, the usual p99 "
                       << usual_p99_of(during).count() << " us: " << ratio << " x");
  CHECK(errors_in(normal) == 0);
  CHECK(errors_in(during) == 0);
  // With a few hundred requests beside other tests, the ratio is meaningless.
  CHECK((ratio <= 2 || usual_p99_of(during) < std::chrono::milliseconds(10)));
}

// A server holds what it promises, and serves it to the last id before its first error. Counted in
// ids, because a stall of the machine changes the current burn.
void check_promise(const SteadyLoad& load, const Figures& said, Clock::time_point end) {
  const Requests requests = load.between({}, end);
  Clock::time_point first_error = end;
  for (const auto& request : requests) {
    if (request.port != said.port() || request.served || request.sent < said.read()) continue;
    first_error = std::min(first_error, request.ended);
  }
  double served = 0;
  double burn = 0;  // ids/s as the server computes it: a mean over one hold
  for (const auto& request : requests) {
    if (request.port != said.port() || !request.served) continue;
    if (request.sent < first_error) served += SteadyLoad::kBatchIds;
    if (request.ended > said.read()) continue;
    burn += SteadyLoad::kBatchIds / Seconds(hold()).count() *
            std::exp(-Seconds(said.read() - request.ended) / hold());
  }
  const double held = said.sum("featherid_ids_held");
  INFO("held " << held << ", burnt " << burn << "/s, promised " << said.promised().count() << " s");
  CHECK(served > said.sum("featherid_ids_issued_total") + held - SteadyLoad::kBatchIds);
  // It measures the burn by chunks and cannot see inside one.
  CHECK(held >= 0.95 * said.promised().count() * burn);
}

// A longer outage: errors begin no sooner than promised and end with the outage.
void check_visible(Scene& scene, Database::Gone how) {
  const std::vector<Figures> warm = scene.warm_up();
  Seconds least = warm.front().promised();
  for (const Figures& said : warm) least = std::min(least, said.promised());
  const double leases = scene.leases();
  const double failures = scene.lease_failures();
  const Clock::time_point begin = Clock::now();
  scene.database().leave(how);
  std::this_thread::sleep_until(begin + long_outage());
  const Clock::time_point back = Clock::now();
  scene.database().come_back();
  const Clock::time_point up = Clock::now();
  std::this_thread::sleep_for(kRecovery);
  const Clock::time_point end = Clock::now();
  const double leases_after = scene.leases() - leases;
  const double failures_in_all = scene.lease_failures() - failures;

  Clock::time_point first_error = Clock::time_point::max();
  Clock::time_point last_error = up;
  for (const auto& request : scene.load().between(begin, end)) {
    if (request.served) continue;
    first_error = std::min(first_error, request.ended);
    last_error = std::max(last_error, request.ended);
  }
  REQUIRE(first_error < back);
  // A request that came as the ids ran out may wait for its whole timeout. Then errors come at
  // once.
  const Requests refused = scene.load().between(first_error + std::chrono::seconds(3), back);
  const Requests after = scene.load().between(last_error + std::chrono::milliseconds(1), end);
  const double pace = static_cast<double>(scene.servers() * SteadyLoad::kClientsPerServer) /
                      Seconds(SteadyLoad::kPause).count();
  WARN(scene.servers() << " server(s), " << Seconds(back - begin).count()
                       << " s without a database: promised " << least.count()
                       << " s, first error after " << Seconds(first_error - begin).count()
                       << " s; then " << errors_in(refused) << " errors of " << refused.size()
                       << " requests, p99 " << p99_of(refused).count() << " us; last error "
                       << Seconds(last_error - up).count() << " s after it was back, then "
                       << static_cast<double>(after.size()) / Seconds(end - last_error).count()
                       << " requests/s of at most " << pace << "; " << leases_after
                       << " leases in the 5 s from then on, " << failures_in_all
                       << " failed ones in all");
  for (const Figures& said : warm) check_promise(scene.load(), said, back);
  CHECK(refused.size() > 50);
  CHECK(errors_in(refused) == static_cast<int>(refused.size()));
  CHECK(p99_of(refused) < std::chrono::milliseconds(500));
  CHECK(last_error - up < std::chrono::seconds(2));
  CHECK(after.size() > 100);
  // One to fill up, then at most one each half hold.
  const double half_holds = Seconds(kRecovery) / (Seconds(hold()) / 2);
  CHECK(leases_after <= scene.servers() * (2 + half_holds));
  // The first pauses are short, then at most two tries a second.
  CHECK(failures_in_all <= scene.servers() * (10 + 2 * Seconds(end - begin).count()));
}

void ride_out(InnodbServer& server, int servers, Database::Gone briefly, Database::Gone for_long) {
  Scene scene(server, servers, briefly == Database::Gone::kRefused);
  check_invisible(scene, briefly);
  check_visible(scene, for_long);
  scene.load().stop();
  const std::vector<std::int64_t> ids = scene.load().sorted_ids();
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

}  // namespace

TEST_CASE("surviving an outage: one server whose database is stopped", "[outage]") {
  MariadbServer server;
  ride_out(server, 1, Database::Gone::kFrozen, Database::Gone::kFrozen);
}

TEMPLATE_TEST_CASE("surviving an outage: three servers whose database is killed", "[outage]",
                   MYSQL_SERVERS) {
  TestType server;
  ride_out(server, 3, Database::Gone::kKilled, Database::Gone::kKilled);
}

TEST_CASE("surviving an outage: three servers whose database cannot be reached", "[outage]") {
  MariadbServer server;
  ride_out(server, 3, Database::Gone::kRefused, Database::Gone::kSilent);
}

}  // namespace featherid::test
