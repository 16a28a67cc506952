// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_MIGRATION_PAGE_H_
#define FEATHERID_TEST_SYSTEM_E2E_MIGRATION_PAGE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/support/scratch_dir.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

// A page of docs/migrating, whose commands run here as they are written.
class MigrationPage {
 public:
  using Replacements = std::vector<std::pair<std::string, std::string>>;

  // `names`: what stands on the page for a machine, and what it is in this test.
  MigrationPage(const std::string& file, Replacements names);

  // Makes the client `mariadb` log in as `user`, whose password is `secret`. MySQL requires TLS.
  void log_in_to_mariadb(const std::string& user, int port, bool tls) const;

  // Runs the `sh` blocks of a section (after those at the top of the page) in one shell, which
  // stops at the first command that fails.
  RunResult run(const std::string& heading) const;
  // The output, of a section that succeeds.
  std::string good(const std::string& heading) const;

 private:
  std::string blocks_of(const std::string& heading) const;

  std::shared_ptr<ScratchDir> home_ = std::make_shared<ScratchDir>();
  Replacements names_;
  std::vector<std::string> lines_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_MIGRATION_PAGE_H_
