// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_SERVER_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_SERVER_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/support/scratch_dir.h"
#include "test/system/campaign/client.h"
#include "test/system/campaign/engine.h"
#include "test/system/campaign/process.h"
#include "test/system/e2e/server_process.h"

namespace featherid::campaign {

// A featherid-server with its own clients.
class Server final : public Process {
 public:
  // `programs`: the versions of featherid-server that its lives run, in turn. `redis`: every second
  // client speaks the Redis protocol.
  Server(const test::ScratchDir& scratch, const std::string& name,
         std::vector<std::string> programs, const Engine& engine, const std::string& failover,
         std::uint64_t seed, bool redis);

  bool is_server() const override { return true; }
  void start() override;
  int end(int signal) override;
  void end_asking() override;
  pid_t pid() override { return process_->process().pid(); }
  bool died() override;
  OwnTag own_tag() override;
  std::int64_t all_served_us() override;
  std::int64_t tags_served_us() override;
  std::vector<Note> notes() override;
  std::string output() override { return process_ ? process_->output() : ""; }

 private:
  const test::ScratchDir& scratch_;
  const std::vector<std::string> programs_;
  const std::vector<std::string> flags_;
  const std::uint64_t seed_;
  const bool redis_;
  std::uint16_t life_ = 0;
  std::optional<test::ServerProcess> process_;
  std::atomic<Address> address_{};
  std::atomic<Address> redis_address_{};
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_SERVER_H_
