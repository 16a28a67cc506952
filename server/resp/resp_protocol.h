// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_RESP_RESP_PROTOCOL_H_
#define FEATHERID_SERVER_RESP_RESP_PROTOCOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "server/net/protocol.h"
#include "server/net/request_stats.h"
#include "server/resp/resp_command.h"

namespace featherid {

// What the Redis clients of one event loop share.
struct RespLoop {
  RespLoop(std::size_t commands, std::size_t results) : stats(commands, results) {}

  RequestStats stats;
  // What was answered in this turn, to be counted together: the numbers of command and result. One
  // connection at a time has its turn.
  std::vector<std::pair<std::size_t, std::size_t>> uncounted;
};

// The Redis protocol, versions 2 and 3: the reader, the table of commands, the writer.
class RespProtocol final : public Protocol {
 public:
  explicit RespProtocol(RespServices services) : services_(std::move(services)) {}

  void start(std::size_t loops) override;
  std::unique_ptr<Conversation> open(ConnectionLoop& loop, const Stream& stream) override;
  std::size_t request_bytes_max() const override;
  // Clients of Redis keep connections in pools, for hours without a command.
  std::chrono::milliseconds idle_timeout(const NetOptions& options) const override;
  bool may_begin_idle() const override { return true; }

  NetClock::time_point began() const { return began_; }

  // Counts since the start, by RespResult, and the current state. Call it from any thread once the
  // server runs.
  ProtocolStats stats() const;

 private:
  const RespServices services_;
  const NetClock::time_point began_ = NetClock::now();
  std::vector<std::unique_ptr<RespLoop>> loops_;
  std::atomic<std::uint64_t> last_client_{0};
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_RESP_RESP_PROTOCOL_H_
