// SPDX-License-Identifier: MIT
#include "test/support/redis_server.h"

#include <stdexcept>

#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

RedisServer::RedisServer() : port_(free_port()) {
  ChildProcess::Options options;
  options.output_file = scratch_.file("log");
  process_.emplace(std::vector<std::string>{"redis-server", "--bind", "127.0.0.1", "--port",
                                            std::to_string(port_), "--save", "", "--dir",
                                            scratch_.path().string()},
                   options);
  if (!wait_until([this] { return port_answers(port_); })) {
    throw std::runtime_error("redis-server does not start: " + read_file(scratch_.file("log")));
  }
}

std::string RedisServer::ask(const std::vector<std::string>& command) const {
  const ScratchDir scratch;
  ChildProcess::Options options;
  options.output_file = scratch.file("answer");
  std::vector<std::string> argv = {"redis-cli", "-u", url()};
  argv.insert(argv.end(), command.begin(), command.end());
  run(argv, options);
  std::string answer = read_file(options.output_file);
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

}  // namespace featherid::test
