// SPDX-License-Identifier: MIT
#include "test/support/sql_client.h"

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "test/support/child_process.h"

namespace featherid::test {

std::optional<std::string> SqlClient::ask(const std::string& sql) const {
  ChildProcess::Options options;
  options.output_file = scratch_.file("answer");
  std::filesystem::remove(options.output_file);
  ChildProcess client({"mariadb", "--no-defaults", "--user=root", "--socket=" + socket_,
                       "--connect-timeout=2", "--batch", "--skip-column-names", "--execute=" + sql},
                      options);
  // On a busy machine a member needs time to join.
  if (client.wait(std::chrono::seconds(60)) != 0) return std::nullopt;
  std::string answer = read_file(options.output_file);
  if (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

void SqlClient::tell(const std::string& sql) const {
  if (ask(sql)) return;
  throw std::runtime_error("the server at " + socket_ + " refuses: " + sql + ": " +
                           read_file(scratch_.file("answer")));
}

}  // namespace featherid::test
