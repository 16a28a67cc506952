// SPDX-License-Identifier: MIT
#include "lib/base/secret_file_risk.h"

#include <unistd.h>

#include <fstream>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

TEST_CASE("a secret that others can read is a risk", "[secret_file_risk]") {
  const test::ScratchDir folder;
  const std::string file = folder.file("secret");
  std::ofstream(file) << "x";
  const bool roots = ::geteuid() == 0;
  const std::string warning = file + " can be read by users other than its owner; run chmod ";
  const auto expect = [&](mode_t mode, const std::string& risk) {
    INFO(std::oct << mode);
    ::chmod(file.c_str(), mode);
    CHECK(secret_file_risk(file) == risk);
  };
  expect(0600, "");
  for (const mode_t mode : {0604, 0444, 0644})
    expect(mode, warning + (roots ? "640" : "600") + " on it");
  for (const mode_t mode : {0640, 0440}) expect(mode, roots ? "" : warning + "600 on it");
  if (roots) {  // a file of somebody else
    REQUIRE(::chown(file.c_str(), 65534, 0) == 0);
    expect(0640, warning + "600 on it");
    expect(0600, "");
  }
  CHECK(secret_file_risk(folder.file("none")).empty());
  CHECK(secret_file_risk("").empty());
}

}  // namespace featherid
