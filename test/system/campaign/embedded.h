// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_EMBEDDED_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_EMBEDDED_H_

#include <optional>
#include <string>
#include <vector>

#include "featherid/status.h"
#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"
#include "test/system/campaign/process.h"

namespace featherid::campaign {

// A process of the program featherid_campaign_embedding.
class Embedded final : public Process {
 public:
  struct Options {
    std::string program;
    std::vector<std::string> urls;
    std::string failover;
    bool keeps_commits;
    std::uint64_t seed;
    bool periods = false;
    int clock_ahead_minutes = 0;
  };
  Embedded(const test::ScratchDir& scratch, const std::string& name, Options options);

  bool is_server() const override { return false; }
  void start() override;
  int end(int signal) override;
  void end_asking() override {}  // its threads end with it
  pid_t pid() override { return process_->pid(); }
  bool died() override;
  OwnTag own_tag() override;
  std::int64_t all_served_us() override;
  std::int64_t tags_served_us() override;
  std::vector<Note> notes() override;
  std::string output() override { return test::read_file(output_file_); }

 private:
  const Options options_;
  const std::string notes_file_;
  const std::string output_file_;
  std::uint16_t life_ = 0;
  std::optional<test::ChildProcess> process_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_EMBEDDED_H_
