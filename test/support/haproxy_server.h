// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_HAPROXY_SERVER_H_
#define FEATHERID_TEST_SUPPORT_HAPROXY_SERVER_H_

#include <optional>
#include <string>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

// An HAProxy on a free port of 127.0.0.1, in mode `tcp` or `http`. The constructor starts it, or
// throws.
class HaproxyServer {
 public:
  // `port_lines`: the configuration of its port. `more_sections`: whole sections, such as backends.
  HaproxyServer(const std::string& mode, const std::string& port_lines,
                const std::string& more_sections = "");

  int port() const { return port_; }

 private:
  ScratchDir scratch_;
  int port_;
  std::optional<ChildProcess> process_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_HAPROXY_SERVER_H_
