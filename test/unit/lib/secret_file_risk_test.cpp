// SPDX-License-Identifier: MIT
#include "lib/base/secret_file_risk.h"

#include <fstream>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

TEST_CASE("a secret that others can read is a risk", "[secret_file_risk]") {
  const test::ScratchDir folder;
  const std::string file = folder.file("secret");
  std::ofstream(file) << "x";
  ::chmod(file.c_str(), 0600);
  CHECK(secret_file_risk(file).empty());
  for (const mode_t mode : {0640, 0604, 0444}) {
    ::chmod(file.c_str(), mode);
    CHECK(secret_file_risk(file) ==
          file + " can be read by users other than its owner; run chmod 600 on it");
  }
  CHECK(secret_file_risk(folder.file("none")).empty());
  CHECK(secret_file_risk("").empty());
}

}  // namespace featherid
