// SPDX-License-Identifier: MIT
// Hostile, broken and slow clients of the Redis protocol: how they end, and that a well-behaved
// HTTP client on the same event loops is not affected.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "test/support/catch.h"
#include "test/support/count_of.h"
#include "test/support/ports.h"
#include "test/support/raw_client.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/attacked.h"

namespace featherid::test {

namespace {

using Clients = std::vector<std::unique_ptr<RawClient>>;

// An attacked server, and the port of its Redis protocol.
struct AttackedResp {
  explicit AttackedResp(std::vector<std::string> flags = {})
      : port(free_port()), attacked(with_port(std::move(flags))) {}

  std::vector<std::string> with_port(std::vector<std::string> flags) const {
    flags.insert(flags.end(), {"--resp-listen", "127.0.0.1:" + std::to_string(port)});
    return flags;
  }
  Clients connect(int count, int receive_bytes = 0) const {
    Clients clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<RawClient>(port, receive_bytes));
    }
    return clients;
  }

  const int port;
  Attacked attacked;
};

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("a command that never becomes whole costs little, and ends in time",
          "[e2e][hardness][resp]") {
  AttackedResp resp({"--header-timeout", "1s"});
  const Clients clients = resp.connect(400);
  const std::string promises[] = {
      "*128\r\n$8000\r\nx",                          // a large argument that does not come
      "*2\r\n$16000\r\n" + std::string(15000, 'x'),  // the same, nearly whole
      std::string(4000, 'x'),                        // a line without an end
      "*1\r\n$4\r\nPI",
  };
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i]->send(promises[i % 4]);
  resp.attacked.check_unharmed(16 * kMegabyte);
  for (const auto& client : clients) {
    CHECK(client->read_to_end() == "-ERR Protocol error: the command did not arrive in time\r\n");
  }
}

TEST_CASE("lengths that lie, garbage and endless lines are refused at once",
          "[e2e][hardness][resp]") {
  AttackedResp resp;
  const std::string attacks[] = {
      "*1000000000\r\n",        "*-7\r\n",       "*99999999999999999999\r\n",
      "*1\r\n$536870912\r\n",   "*1\r\n$-3\r\n", "*1\r\n$4\r\nPINGxx\r\n",
      "*1\r\n*1\r\n",           "*x\r\n",        "*" + std::string(100000, '1'),
      std::string(100000, 'x'), "ECHO \"\r\n"};
  int refused = 0;
  int sent = 0;
  resp.attacked.keep_up([&] {
    for (const std::string& attack : attacks) {
      const RawClient client(resp.port);
      client.send(attack);
      const std::string answer = client.read_to_end().value_or("");
      refused += answer.rfind("-ERR Protocol error: ", 0) == 0 ? 1 : 0;
      ++sent;
    }
  });
  CHECK(refused == sent);
  const RawClient garbage(resp.port);
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes += static_cast<char>(i * 7919 >> 3);
  garbage.send(bytes + "\n");
  garbage.end_sending();
  CHECK(garbage.read_to_end());
  resp.attacked.check_unharmed(8 * kMegabyte);
}

TEST_CASE("clients that pipeline and never read cost little, and are cut off",
          "[e2e][hardness][resp]") {
  AttackedResp resp({"--write-timeout", "1s"});
  const Clients deaf = resp.connect(20, 4096);
  const std::string commands = repeated("COMMAND\n", 10000);  // 20 MB of answers
  for (const auto& client : deaf) client->send(commands);
  resp.attacked.check_unharmed(8 * kMegabyte);
  CHECK(wait_until(
      [&] { return resp.attacked.server().descriptors() <= resp.attacked.descriptors_before(); }));
}

TEST_CASE("endless pipelines, also of commands without an answer, leave others their turn",
          "[e2e][hardness][resp]") {
  AttackedResp resp;
  for (const std::string command : {"*0\r\n", "\r\n", "INCR order\r\n", "INCR nope\r\n"}) {
    INFO(command);
    const Clients clients = resp.connect(4);
    const std::string many = repeated(command, 5000);
    resp.attacked.keep_up([&] {
      for (const auto& client : clients) {
        client->send(many + "ECHO end\r\n");
        if (!client->read_until("end\r\n")) FAIL("no answer");
      }
    });
    resp.attacked.check_unharmed(8 * kMegabyte);
  }
}

TEST_CASE("a half-closed peer of the Redis protocol gets its answers", "[e2e][hardness][resp]") {
  AttackedResp resp;
  const Clients clients = resp.connect(50);
  for (const auto& client : clients) {
    client->send(repeated("INCR order\n", 1000));
    client->end_sending();
  }
  for (const auto& client : clients) {
    CHECK(count_of(client->read_to_end().value_or(""), ":") == 1000);
  }
  resp.attacked.check_unharmed(8 * kMegabyte);
}

}  // namespace featherid::test
