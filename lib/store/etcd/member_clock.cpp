// SPDX-License-Identifier: MIT
#include "lib/store/etcd/member_clock.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <locale>
#include <sstream>

namespace featherid {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<WallTime> parse_http_date(const std::string& text) {
  std::tm parts{};
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  in >> std::get_time(&parts, "%a, %d %b %Y %H:%M:%S GMT");
  if (in.fail()) return std::nullopt;
  return WallTime(seconds(::timegm(&parts)));
}

void MemberClock::learn(const std::string& date, TimePoint sent, TimePoint received, WallTime own) {
  const std::optional<WallTime> second = parse_http_date(date);
  if (!second) return;
  // The member wrote it after the call was sent, at some time of that second.
  const auto travelled = std::chrono::duration_cast<milliseconds>(received - sent);
  const WallTime latest = *second + seconds(1) + travelled;
  const MutexLock lock(mutex_);
  read_ = std::clamp(own, *second, latest);
  read_at_ = received;
}

std::optional<WallTime> MemberClock::time(TimePoint now) const {
  const MutexLock lock(mutex_);
  if (!read_) return std::nullopt;
  return *read_ + std::chrono::duration_cast<milliseconds>(now - read_at_);
}

}  // namespace featherid
