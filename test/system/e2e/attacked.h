// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_ATTACKED_H_
#define FEATHERID_TEST_SYSTEM_E2E_ATTACKED_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"
#include "test/system/e2e/neighbour.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

constexpr std::int64_t kMegabyte = 1024;  // in kB, as memory is counted here

// A server, a well-served neighbour, and the figures of both before the attack.
class Attacked {
 public:
  explicit Attacked(std::vector<std::string> flags = {}, std::uint64_t descriptors_max = 0)
      : server_(scratch_, std::move(flags), {}, descriptors_max), neighbour_(server_.port()) {
    warm_up();
  }
  // On another database, outside `scratch`.
  explicit Attacked(const std::string& database_url, std::vector<std::string> flags)
      : server_(scratch_, with_database(database_url, std::move(flags))),
        neighbour_(server_.port()) {
    warm_up();
  }

  ServerProcess& server() { return server_; }
  int descriptors_before() const { return descriptors_before_; }
  int threads_before() const { return threads_before_; }

  // Repeats a short attack until the neighbour has been served beside it for a while.
  template <typename Attack>
  void keep_up(Attack attack) {
    for (int round = 0; round == 0 || (neighbour_.answers() < 100 && round < 10000); ++round) {
      attack();
    }
  }

  // Call it while the attack has its greatest effect. Checks that the neighbour got all its answers
  // about as fast as before, and that the server has grown by at most this much. The bounds are
  // wide because others use the machine as well. A server that stops for one client, or serves it
  // first, is far beyond them.
  void check_unharmed(std::int64_t grown_kb_max) {
    const std::int64_t rss_kb = server_.rss_kb();
    const Neighbour::Figures during = neighbour_.figures();
    WARN("neighbour's median " << before_.median.count() << " -> " << during.median.count()
                               << " us, p90 " << before_.p90.count() << " -> " << during.p90.count()
                               << " us, slowest " << before_.slowest.count() << " -> "
                               << during.slowest.count() << " us; " << during.answers
                               << " answers; RSS " << rss_kb_before_ << " -> " << rss_kb << " kB");
    INFO("the server said: " << server_.output());
    CHECK(during.errors == 0);
    CHECK(during.median < 5 * before_.median + std::chrono::milliseconds(5));
    CHECK(during.p90 < 5 * before_.p90 + std::chrono::milliseconds(50));
    CHECK(during.slowest < 10 * before_.slowest + std::chrono::seconds(2));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(rss_kb - rss_kb_before_ < grown_kb_max);
#else
    (void)grown_kb_max;
#endif
  }

 private:
  static std::vector<std::string> with_database(const std::string& url,
                                                std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--database", url});
    return flags;
  }

  void warm_up() {
    neighbour_.figures();
    before_ = neighbour_.figures();
    CHECK(before_.errors == 0);
    rss_kb_before_ = server_.rss_kb();
    descriptors_before_ = server_.descriptors();
    threads_before_ = server_.threads();
  }

  const ScratchDir scratch_;
  ServerProcess server_;
  Neighbour neighbour_;
  Neighbour::Figures before_;
  std::int64_t rss_kb_before_ = 0;
  int descriptors_before_ = 0;
  int threads_before_ = 0;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_ATTACKED_H_
