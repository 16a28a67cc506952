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

// Written again, it must be the same: get_time() also accepts parts of it.
std::optional<WallTime> parse_http_date(const std::string& text) {
  constexpr const char* kFormat = "%a, %d %b %Y %H:%M:%S GMT";
  std::tm parts{};
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  in >> std::get_time(&parts, kFormat);
  if (in.fail()) return std::nullopt;
  const WallTime time(seconds(::timegm(&parts)));
  std::ostringstream again;
  again.imbue(std::locale::classic());
  again << std::put_time(&parts, kFormat);
  return again.str() == text ? std::optional<WallTime>(time) : std::nullopt;
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
