// SPDX-License-Identifier: MIT
#include "test/system/e2e/server_process.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

std::string new_output_file(const ScratchDir& scratch) {
  static std::atomic<int> count{0};
  return scratch.file("server-" + std::to_string(++count) + ".out");
}

bool has(const std::vector<std::string>& flags, const char* flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

std::vector<std::string> patient(std::vector<std::string> flags) {
  if (!has(flags, "--request-timeout")) flags.insert(flags.end(), {"--request-timeout", "15s"});
  return flags;
}

std::vector<std::string> command(const ScratchDir& scratch, std::vector<std::string> flags,
                                 const std::string& program) {
  if (!has(flags, "--listen")) flags.insert(flags.end(), {"--listen", "127.0.0.1:0"});
  if (!has(flags, "--database") && !has(flags, "--database-file")) {
    flags.insert(flags.end(), {"--database", "sqlite3:" + scratch.file("ids.db")});
  }
  flags.insert(flags.begin(), program.empty() ? FEATHERID_SERVER_PROGRAM : program);
  return flags;
}

int entries(const std::string& folder) {
  const std::filesystem::directory_iterator begin(folder);
  return static_cast<int>(std::distance(begin, std::filesystem::directory_iterator()));
}

}  // namespace

ServerProcess::ServerProcess(const ScratchDir& scratch, std::vector<std::string> flags,
                             std::vector<std::string> environment, std::uint64_t descriptors_max,
                             const std::string& program)
    : output_file_(new_output_file(scratch)),
      process_(command(scratch, patient(std::move(flags)), program),
               {output_file_, "", std::move(environment), descriptors_max}) {
  static const std::string kReady = " ready on http";
  const bool ended_or_ready = wait_until([this] {
    const std::string text = output();
    const std::size_t ready = text.find(kReady);
    if (ready == std::string::npos || text.find('\n', ready) == std::string::npos) {
      return process_.wait(std::chrono::milliseconds(0)).has_value();
    }
    const std::size_t host = text.find("//", ready) + 2;
    port_ = std::stoi(
        text.substr(text.find(text[host] == '[' ? "]:" : ":", host) + (text[host] == '[' ? 2 : 1)));
    return true;
  });
  if (!ended_or_ready || port_ == 0) throw std::runtime_error("no ready line: " + output());
}

std::int64_t ServerProcess::rss_kb() const {
  const std::string status = read_file(proc("status"));
  return std::stoll(status.substr(status.find("VmRSS:") + 6));
}

int ServerProcess::threads() const { return entries(proc("task")); }

int ServerProcess::descriptors() const { return entries(proc("fd")); }

std::string ServerProcess::proc(const std::string& name) const {
  return "/proc/" + std::to_string(process_.pid()) + "/" + name;
}

bool ServerProcess::says(const std::string& text) const {
  return wait_until([&] { return output().find(text) != std::string::npos; });
}

namespace {

Answer answer_of(const httplib::Result& result) {
  if (!result) return {};
  return {result->status, nlohmann::json::parse(result->body, nullptr, false)};
}

}  // namespace

Answer ServerProcess::get(const std::string& target) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(30);
  return answer_of(client.Get(target));
}

Answer ServerProcess::post(const std::string& target) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(30);
  return answer_of(client.Post(target, "", "text/plain"));
}

std::int64_t ServerProcess::id(const std::string& tag) const {
  const Answer answer = get("/api/v1/id?biz_tag=" + tag);
  if (answer.status != 200) throw std::runtime_error("no id: " + answer.body.dump());
  return answer.id();
}

RunResult run_server(const ScratchDir& scratch, const std::vector<std::string>& flags,
                     const std::vector<std::string>& environment) {
  const std::string output_file = new_output_file(scratch);
  ChildProcess process(command(scratch, flags, ""), {output_file, "", environment});
  const std::optional<int> exit_code = process.wait(std::chrono::seconds(60));
  return {exit_code.value_or(-1), read_file(output_file)};
}

}  // namespace featherid::test
