// SPDX-License-Identifier: MIT
// The Redis protocol of the real server, with clients that others have written.
#include <hiredis/hiredis.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/count_of.h"
#include "test/support/ports.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"
#include "test/system/e2e/tls_client.h"

namespace featherid::test {

namespace {

// A server that also speaks the Redis protocol.
class RespServer {
 public:
  explicit RespServer(const ScratchDir& scratch, std::vector<std::string> flags = {})
      : port_(free_port()), server_(scratch, with_port(std::move(flags))) {}

  int port() const { return port_; }
  ServerProcess& server() { return server_; }

 private:
  std::vector<std::string> with_port(std::vector<std::string> flags) const {
    flags.insert(flags.end(), {"--resp-listen", "127.0.0.1:" + std::to_string(port_)});
    return flags;
  }

  const int port_;
  ServerProcess server_;
};

// What a program prints.
std::string output_of(const ScratchDir& scratch, std::vector<std::string> argv) {
  const std::string file = scratch.file("client.out");
  std::filesystem::remove(file);
  ChildProcess process(argv, {file, "", {}});
  REQUIRE(process.wait(std::chrono::seconds(30)));
  return read_file(file);
}

std::string redis_cli(const ScratchDir& scratch, int port, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"redis-cli", "-p", std::to_string(port)});
  return output_of(scratch, arguments);
}

// A file of tokens, one of which closes ids to strangers.
std::string token_file(const ScratchDir& scratch) {
  std::string file = scratch.file("tokens");
  std::ofstream(file) << "ops admin top-secret\napp read only-ids\n";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  return file;
}

using HiredisContext = std::unique_ptr<redisContext, decltype(&redisFree)>;

HiredisContext hiredis(int port) {
  HiredisContext context(redisConnect("127.0.0.1", port), redisFree);
  REQUIRE(context);
  REQUIRE(context->err == 0);
  return context;
}

// The id that comes next on the connection; 0: none.
std::int64_t next_id(redisContext* context) {
  void* raw = nullptr;
  if (redisGetReply(context, &raw) != REDIS_OK) return 0;
  const std::unique_ptr<void, decltype(&freeReplyObject)> owner(raw, freeReplyObject);
  const auto* reply = static_cast<const redisReply*>(raw);
  return reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
}

// Pipelines INCR on a few connections until they end, and notes all ids.
class PipelinedLoad {
 public:
  explicit PipelinedLoad(int port) {
    for (int i = 0; i < 4; ++i) threads_.emplace_back([this, port] { ask(port); });
  }
  ~PipelinedLoad() { join(); }
  PipelinedLoad(const PipelinedLoad&) = delete;
  PipelinedLoad& operator=(const PipelinedLoad&) = delete;

  std::size_t count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ids_.size();
  }
  std::vector<std::int64_t> ids_at_end() {
    join();
    return ids_;
  }

 private:
  void ask(int port) {
    constexpr int kDepth = 16;
    const HiredisContext context(redisConnect("127.0.0.1", port), redisFree);
    for (;;) {
      for (int i = 0; i < kDepth; ++i) redisAppendCommand(context.get(), "INCR order");
      for (int i = 0; i < kDepth; ++i) {
        const std::int64_t id = next_id(context.get());
        if (id == 0) return;
        const std::lock_guard<std::mutex> lock(mutex_);
        ids_.push_back(id);
      }
    }
  }
  void join() {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  std::mutex mutex_;
  std::vector<std::int64_t> ids_;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("redis-cli gets ids", "[e2e][resp]") {
  const ScratchDir scratch;
  RespServer server(scratch);
  CHECK(server.server().output().find("redis: redis://127.0.0.1:" +
                                      std::to_string(server.port())) != std::string::npos);
  const auto cli = [&](const std::vector<std::string>& arguments) {
    return redis_cli(scratch, server.port(), arguments);
  };
  CHECK(cli({"INCR", "order"}) == "1\n");
  CHECK(cli({"INCRBY", "order", "100"}) == "101\n");
  CHECK(cli({"-3", "INCR", "order"}) == "102\n");
  CHECK(cli({"-r", "3", "INCR", "order"}) == "103\n104\n105\n");
  CHECK(cli({"INCR", "nope"}).rfind("NOTAG no such tag 'nope'", 0) == 0);
  CHECK(cli({"FLUSHALL"}).rfind("ERR unknown command 'FLUSHALL'", 0) == 0);
  CHECK(cli({"COMMAND", "COUNT"}) != "");
  CHECK(server.server().id() == 106);  // the same series as over HTTP
  const auto metrics = output_of(
      scratch,
      {"curl", "-sS", "http://127.0.0.1:" + std::to_string(server.server().port()) + "/metrics"});
  CHECK(metrics.find("featherid_resp_commands_total{command=\"incr\",result=\"OK\"} 5\n") !=
        std::string::npos);
  CHECK(metrics.find("featherid_resp_commands_total{command=\"incr\",result=\"NOTAG\"} 1\n") !=
        std::string::npos);
}

TEST_CASE("redis-benchmark, hiredis, Python and Node.js get ids", "[e2e][resp]") {
  const ScratchDir scratch;
  RespServer server(scratch, {"--admin-token-file", token_file(scratch)});
  const std::string port = std::to_string(server.port());

  const std::string benchmark =
      output_of(scratch, {"redis-benchmark", "-p", port, "-a", "only-ids", "-c", "20", "-P", "16",
                          "-n", "20000", "-q", "INCR", "order"});
  CHECK(benchmark.find("requests per second") != std::string::npos);
  CHECK(benchmark.find("Error from server") == std::string::npos);

  const HiredisContext context = hiredis(server.port());
  redisAppendCommand(context.get(), "AUTH default only-ids");
  redisAppendCommand(context.get(), "INCR order");
  redisAppendCommand(context.get(), "INCRBY order %d", 1000);
  redisAppendCommand(context.get(), "INCR order");
  CHECK(next_id(context.get()) == 0);  // OK
  const std::int64_t first = next_id(context.get());
  CHECK(first > 20000);
  const std::int64_t last = next_id(context.get());
  CHECK(last >= first + 1000);
  CHECK(next_id(context.get()) == last + 1);

  const std::string programs = FEATHERID_RESP_CLIENTS;
  run({"/usr/bin/python3", programs + "/client.py", port, "only-ids"});
  INFO("scripts/get-ioredis fetches ioredis");
  REQUIRE(std::filesystem::exists(FEATHERID_IOREDIS));
  run({"node", programs + "/client.mjs", FEATHERID_IOREDIS, port, "only-ids"});
}

TEST_CASE("tokens guard the Redis protocol, and never reach the log", "[e2e][resp][auth]") {
  const ScratchDir scratch;
  RespServer server(scratch, {"--admin-token-file", token_file(scratch), "--log-level", "debug"});
  const auto cli = [&](const std::vector<std::string>& arguments) {
    return redis_cli(scratch, server.port(), arguments);
  };
  CHECK(cli({"INCR", "order"}).rfind("NOAUTH Authentication required.", 0) == 0);
  CHECK(cli({"--no-auth-warning", "-a", "only-ids", "INCR", "order"}) == "1\n");
  CHECK(cli({"--no-auth-warning", "--user", "default", "--pass", "top-secret", "INCR", "order"}) ==
        "2\n");
  CHECK(cli({"AUTH", "not-a-token"}).rfind("WRONGPASS ", 0) == 0);
  CHECK(cli({"AHTU", "top-secret"}).rfind("ERR unknown command", 0) == 0);
  CHECK(cli({"ECHO", "top-secret"}).rfind("NOAUTH", 0) == 0);
  CHECK(server.server().says(R"(incr "order" result=OK)"));
  CHECK(server.server().says("unknown command result=ERR"));
  server.server().process().stop();
  for (const char* token : {"only-ids", "top-secret", "not-a-token"}) {
    CHECK(server.server().output().find(token) == std::string::npos);
  }
}

TEST_CASE("the Redis protocol over TLS", "[e2e][resp][tls]") {
  const ScratchDir scratch;
  const Certificate certificate(scratch, "server");
  RespServer server(scratch, {"--tls-cert", certificate.cert_file, "--tls-key",
                              certificate.key_file, "--header-timeout", "3s"});
  CHECK(server.server().says("listening on rediss://127.0.0.1:"));
  CHECK(redis_cli(scratch, server.port(),
                  {"--tls", "--cacert", certificate.cert_file, "INCR", "order"}) == "1\n");
  const TlsClient idle(server.port(), certificate);
  const RawClient silent(server.port());  // does not even begin the handshake
  CHECK(silent.read_to_end() == "");
  idle.send("PING\r\n");  // may be idle, because its handshake has ended
  CHECK(idle.read_until("+PONG\r\n"));
  std::string commands;
  for (int i = 0; i < 1000; ++i) commands += "INCR order\r\n";
  idle.send(commands + "QUIT\r\n");
  const auto answers = idle.read_to_end();  // by close_notify
  REQUIRE(answers);
  CHECK(count_of(*answers, ":") == 1000);
  const RawClient plain(server.port());
  plain.send("*1\r\n$4\r\nPING\r\n");
  CHECK(plain.read_to_end().value_or("").find("PONG") == std::string::npos);
}

TEST_CASE("each port refuses the other's protocol", "[e2e][resp]") {
  const ScratchDir scratch;
  RespServer server(scratch);
  const auto answer = [](int port, const std::string& bytes) {
    const RawClient client(port);
    client.send(bytes);
    return client.read_to_end().value_or("no clean end");
  };
  const std::string get = "GET /api/v1/id?biz_tag=order HTTP/1.1\r\nHost: x\r\n\r\nINCR order\r\n";
  CHECK(answer(server.port(), get) == "-ERR wrong number of arguments for 'get' command\r\n");
  CHECK(answer(server.port(), "POST / HTTP/1.1\r\n\r\nINCR order\r\n").empty());
  for (const char* command : {"*2\r\n$4\r\nINCR\r\n$5\r\norder\r\n", "INCR order\r\n\r\n"}) {
    CHECK(answer(server.server().port(), command).rfind("HTTP/1.1 400 ", 0) == 0);
  }
  CHECK(server.server().id() == 1);  // nobody has got one
}

TEST_CASE("no id comes twice through SIGTERM and kill -9 under pipelined load", "[e2e][resp]") {
  const ScratchDir scratch;
  std::set<std::int64_t> seen;
  std::size_t count = 0;
  for (const int signal : {SIGTERM, SIGKILL, SIGTERM}) {
    RespServer server(scratch);
    PipelinedLoad load(server.port());
    REQUIRE(wait_until([&] { return load.count() >= 5000; }));
    const int exit_code = server.server().process().stop(signal);
    CHECK(exit_code == (signal == SIGTERM ? 0 : 128 + SIGKILL));
    for (const std::int64_t id : load.ids_at_end()) {
      ++count;
      seen.insert(id);
    }
  }
  CHECK(seen.size() == count);
}

TEST_CASE("a port that is taken is named, and so is the setting", "[e2e][resp]") {
  const ScratchDir scratch;
  const int taken = listen_on_free_port();
  const RunResult result =
      run_server(scratch, {"--resp-listen", "127.0.0.1:" + std::to_string(port_of(taken))});
  ::close(taken);
  CHECK(result.exit_code == 1);
  CHECK(result.output.find("--resp-listen: 127.0.0.1:") != std::string::npos);
}

}  // namespace featherid::test
