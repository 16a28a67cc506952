// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_SERVER_PROCESS_H_
#define FEATHERID_TEST_SYSTEM_E2E_SERVER_PROCESS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/raw_client.h"
#include "test/support/scratch_dir.h"

namespace featherid::test {

struct Answer {
  int status = 0;  // 0: no answer came
  nlohmann::json body;

  int code() const { return body.is_object() ? body.value("code", -1) : -1; }
  std::string message() const { return body.is_object() ? body.value("msg", "") : ""; }
  std::int64_t id() const { return body.at("data").get<std::int64_t>(); }
};

// A featherid-server on a free port of 127.0.0.1. The constructor starts it. Throws with its output
// if it does not print its ready line.
class ServerProcess {
 public:
  // Adds "--listen", "--database" and "--request-timeout" if `flags` lacks them. The database is
  // ids.db in `scratch`. A request waits for ids longer than the machine may stall.
  // `program`: another version of featherid-server; empty: this one.
  explicit ServerProcess(const ScratchDir& scratch, std::vector<std::string> flags = {},
                         std::vector<std::string> environment = {},
                         std::uint64_t descriptors_max = 0, const std::string& program = "");

  int port() const { return port_; }
  ChildProcess& process() { return process_; }
  std::int64_t rss_kb() const;
  int threads() const;
  int descriptors() const;  // open files, sockets included
  std::string output() const { return read_file(output_file_); }
  // Whether it logs this soon. The thread that writes the log may be behind.
  bool says(const std::string& text) const;

  // One request on its own connection.
  Answer get(const std::string& target) const;
  Answer post(const std::string& target) const;
  // The id that target gives. Throws if it gives none.
  std::int64_t id(const std::string& tag = "order") const;

 private:
  std::string proc(const std::string& name) const;  // a file of /proc about the process

  std::string output_file_;
  ChildProcess process_;
  int port_ = 0;
};

// Runs featherid-server to its end, for configurations that never serve.
struct RunResult {
  int exit_code;
  std::string output;  // both streams
};
RunResult run_server(const ScratchDir& scratch, const std::vector<std::string>& flags,
                     const std::vector<std::string>& environment = {});

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_SERVER_PROCESS_H_
