// SPDX-License-Identifier: MIT
#include "lib/base/watchdog.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>

#include "test/support/catch.h"
#include "test/support/wait_until.h"

namespace featherid {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

TimePoint now() { return std::chrono::steady_clock::now(); }

// A connection whose other end never sends anything.
class SilentPeer {
 public:
  SilentPeer() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_) == 0); }
  ~SilentPeer() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  SilentPeer(const SilentPeer&) = delete;
  SilentPeer& operator=(const SilentPeer&) = delete;

  int socket() const { return ends_[0]; }
  bool is_cut(milliseconds bound = milliseconds(0)) const {
    pollfd poll_fd{ends_[0], POLLIN, 0};
    return ::poll(&poll_fd, 1, static_cast<int>(bound.count())) == 1;
  }
  // When a read that gets no data ended, or nothing if it did not end within a long time.
  std::optional<TimePoint> cut_at() const {
    if (!is_cut(seconds(30))) return std::nullopt;
    return now();
  }

 private:
  int ends_[2] = {-1, -1};
};

}  // namespace

TEST_CASE("a socket is cut at its deadline and no earlier", "[watchdog][threads]") {
  Watchdog watchdog;
  const SilentPeer peer;
  const TimePoint deadline = now() + milliseconds(50);
  const Watchdog::Guard guard(watchdog, peer.socket(), deadline);
  const auto cut_at = peer.cut_at();
  REQUIRE(cut_at);
  CHECK(*cut_at >= deadline);
}

TEST_CASE("a socket whose guard ends in time is left alone", "[watchdog][threads]") {
  Watchdog watchdog;
  CHECK(test::wait_until([&] {  // again if the machine stalled, so that the guard ended too late
    const SilentPeer done;
    const SilentPeer other;
    const TimePoint deadline = now() + milliseconds(500);
    { const Watchdog::Guard guard(watchdog, done.socket(), deadline); }
    const bool in_time = now() < deadline;
    const Watchdog::Guard guard(watchdog, other.socket(), deadline);
    REQUIRE(other.cut_at());
    if (in_time) CHECK_FALSE(done.is_cut());
    return in_time;
  }));
}

TEST_CASE("one of two guards with the same deadline can go first", "[watchdog][threads]") {
  Watchdog watchdog;
  CHECK(test::wait_until([&] {  // as above
    const SilentPeer first;
    const SilentPeer second;
    const TimePoint deadline = now() + milliseconds(500);
    const Watchdog::Guard stays(watchdog, first.socket(), deadline);
    { const Watchdog::Guard goes(watchdog, second.socket(), deadline); }
    const bool in_time = now() < deadline;
    REQUIRE(first.cut_at());
    if (in_time) CHECK_FALSE(second.is_cut());
    return in_time;
  }));
}

TEST_CASE("an earlier deadline that is set later is kept", "[watchdog][threads]") {
  Watchdog watchdog;
  const SilentPeer late;
  const Watchdog::Guard first(watchdog, late.socket(), now() + hours(1));
  // From the second round on the thread is known to sleep until the late one.
  for (int i = 0; i < 3; ++i) {
    const SilentPeer early;
    const Watchdog::Guard guard(watchdog, early.socket(), now() + milliseconds(5));
    REQUIRE(early.cut_at());
  }
  CHECK_FALSE(late.is_cut());
}

TEST_CASE("deadlines are kept one after the other, passed ones at once", "[watchdog][threads]") {
  Watchdog watchdog;
  for (int i = 0; i < 20; ++i) {
    const SilentPeer peer;
    const Watchdog::Guard guard(watchdog, peer.socket(), now() + milliseconds(i % 5));
    REQUIRE(peer.cut_at());
  }
}

TEST_CASE("a guard without a socket is not watched", "[watchdog]") {
  const std::filesystem::path threads("/proc/self/task");
  const auto count = [&] {
    const std::filesystem::directory_iterator begin(threads);
    return std::distance(begin, std::filesystem::directory_iterator());
  };
  const auto before = count();  // those that other tests have left behind may end meanwhile
  Watchdog watchdog;
  const Watchdog::Guard guard(watchdog, -1, now());
  CHECK(count() <= before);
}

TEST_CASE("a watchdog that sleeps ends at once", "[watchdog][threads]") {
  const TimePoint begin = now();
  const SilentPeer peer;
  {
    Watchdog watchdog;
    const Watchdog::Guard guard(watchdog, peer.socket(), now());
    REQUIRE(peer.cut_at());
  }
  CHECK(now() - begin < seconds(30));
}

}  // namespace featherid
