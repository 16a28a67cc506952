// SPDX-License-Identifier: MIT
#include "test/e2e/server_process.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

std::string new_output_file(const ScratchDir& scratch) {
  static std::atomic<int> count{0};
  return scratch.file("server-" + std::to_string(++count) + ".out");
}

std::vector<std::string> command(const ScratchDir& scratch, std::vector<std::string> flags) {
  const auto has = [&flags](const char* flag) {
    return std::find(flags.begin(), flags.end(), flag) != flags.end();
  };
  if (!has("--listen")) flags.insert(flags.end(), {"--listen", "127.0.0.1:0"});
  if (!has("--database")) {
    flags.insert(flags.end(), {"--database", "sqlite3:" + scratch.file("ids.db")});
  }
  flags.insert(flags.begin(), FEATHERID_SERVER_PROGRAM);
  return flags;
}

}  // namespace

ServerProcess::ServerProcess(const ScratchDir& scratch, std::vector<std::string> flags,
                             std::vector<std::string> environment)
    : output_file_(new_output_file(scratch)),
      process_(command(scratch, std::move(flags)), {output_file_, "", std::move(environment)}) {
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

Answer ServerProcess::get(const std::string& target) const {
  httplib::Client client("127.0.0.1", port_);
  client.set_read_timeout(30);
  const httplib::Result result = client.Get(target);
  if (!result) return {};
  return {result->status, nlohmann::json::parse(result->body, nullptr, false)};
}

std::int64_t ServerProcess::id(const std::string& tag) const {
  const Answer answer = get("/api/v1/id?biz_tag=" + tag);
  if (answer.status != 200) throw std::runtime_error("no id: " + answer.body.dump());
  return answer.id();
}

RunResult run_server(const ScratchDir& scratch, const std::vector<std::string>& flags,
                     const std::vector<std::string>& environment) {
  const std::string output_file = new_output_file(scratch);
  ChildProcess process(command(scratch, flags), {output_file, "", environment});
  const std::optional<int> exit_code = process.wait(std::chrono::seconds(30));
  return {exit_code.value_or(-1), read_file(output_file)};
}

RawClient::RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to port " + std::to_string(port));
  }
}

RawClient::~RawClient() { ::close(socket_); }

void RawClient::send(const std::string& bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;  // the server has closed: what it said is still to be read
    sent += static_cast<std::size_t>(n);
  }
}

std::optional<std::string> RawClient::read_to_end(std::chrono::milliseconds bound) const {
  const auto deadline = std::chrono::steady_clock::now() + bound;
  std::string text;
  char chunk[4096];
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd ready{socket_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
      return std::nullopt;
    }
    const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
    if (n < 0) return std::nullopt;  // reset: the answer may have been lost
    if (n == 0) return text;
    text.append(chunk, static_cast<std::size_t>(n));
  }
}

std::optional<std::string> RawClient::read_until(const std::string& wanted) const {
  std::string text;
  char chunk[4096];
  while (text.find(wanted) == std::string::npos) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 20000) <= 0) return std::nullopt;
    const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
    if (n <= 0) return std::nullopt;
    text.append(chunk, static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace featherid::test
