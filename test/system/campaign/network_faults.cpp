// SPDX-License-Identifier: MIT
#include "test/system/campaign/network_faults.h"

namespace featherid::campaign {

namespace {

using std::chrono::milliseconds;
using test::Forwarder;

// A conversation from the login to the first lease has fewer bytes: up to 7400 to PostgreSQL.
constexpr std::int64_t kConversationBytes = 7700;
// From the end of a sweep of cuts to the next, so that even a short campaign meets every part.
constexpr std::int64_t kStrideBytes = kConversationBytes / 3;

Fault trouble(Forwarder& forwarder, const std::string& name, Forwarder::Trouble what,
              milliseconds lasts_min, milliseconds lasts_max) {
  return {name,
          {"network"},
          lasts_min,
          lasts_max,
          [=, &forwarder] { forwarder.set_trouble(what); },
          [&forwarder] { forwarder.set_trouble(Forwarder::Trouble::kNone); }};
}

Fault cuts(Forwarder& forwarder, const std::string& name, Forwarder::Direction direction,
           std::int64_t& next_bytes) {
  return {name,
          {"network"},
          milliseconds(500),
          milliseconds(2500),
          [=, &forwarder, &next_bytes] {
            forwarder.begin_cutting(direction, next_bytes % kConversationBytes);
          },
          [&forwarder, &next_bytes] { next_bytes = forwarder.end_cutting() + kStrideBytes; }};
}

}  // namespace

std::vector<Fault> network_faults(Forwarder& forwarder, CutProgress& progress) {
  using Trouble = Forwarder::Trouble;
  using Direction = Forwarder::Direction;
  return {
      cuts(forwarder, "cuts within statements", Direction::kToServer, progress.to_server),
      cuts(forwarder, "cuts within answers", Direction::kToClient, progress.to_client),
      trouble(forwarder, "connections refused", Trouble::kRefuses, milliseconds(200),
              milliseconds(2000)),
      trouble(forwarder, "black hole", Trouble::kBlackHole, milliseconds(500), milliseconds(4000)),
      trouble(forwarder, "half-open connections", Trouble::kHalfOpen, milliseconds(500),
              milliseconds(4000)),
      trouble(forwarder, "slow network", Trouble::kSlow, milliseconds(500), milliseconds(3000)),
  };
}

std::int64_t cuts_of(const std::deque<Forwarder>& network) {
  std::int64_t cuts = 0;
  for (const Forwarder& way : network) cuts += way.cuts();
  return cuts;
}

}  // namespace featherid::campaign
