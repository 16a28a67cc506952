// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_REDIS_SERVER_H_
#define FEATHERID_TEST_SUPPORT_REDIS_SERVER_H_

#include <optional>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// A Redis on a free port of 127.0.0.1 that keeps nothing on disk. The constructor starts it, or
// throws.
class RedisServer {
 public:
  RedisServer();

  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  // What redis-cli prints for a command, without the end of the line.
  std::string ask(const std::vector<std::string>& command) const;

 private:
  ScratchDir scratch_;
  int port_;
  std::optional<ChildProcess> process_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_REDIS_SERVER_H_
