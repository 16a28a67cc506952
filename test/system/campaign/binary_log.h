// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_BINARY_LOG_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_BINARY_LOG_H_

#include <string>
#include <utility>
#include <vector>

#include "test/system/campaign/engine.h"

namespace featherid::campaign {

// The binary log of a MariaDB or MySQL: every committed change, and nothing else.
class BinaryLog {
 public:
  // Files `path`.000001 and so on. The program `reader` reads them.
  BinaryLog(std::string reader, std::string path)
      : reader_(std::move(reader)), path_(std::move(path)) {}

  // The flags that the server must be started with, besides `more`.
  std::vector<std::string> flags(std::vector<std::string> more) const;

  // The changes of id_segments. The server need not run.
  std::vector<Move> moves() const;

 private:
  const std::string reader_;
  const std::string path_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_BINARY_LOG_H_
