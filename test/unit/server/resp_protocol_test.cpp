// SPDX-License-Identifier: MIT
#include "server/resp/resp_protocol.h"

#include <asio/post.hpp>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/net/net_server.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/gate.h"
#include "test/support/raw_client.h"
#include "test/support/wait_until.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::RawClient;

NetOptions quick_options() {
  NetOptions options;
  options.request_timeout = seconds(20);
  return options;
}

// A server of the Redis protocol, over a store whose tags are in every state there is.
class RespServer {
 public:
  explicit RespServer(const NetOptions& options = quick_options(),
                      const std::vector<std::string>& tokens = {})
      : auth_(make_tokens(tokens), false),
        allocator_(store_, make_options(options.request_timeout)),
        server_(options) {
    for (const char* tag : {"order", "user", "exhausted", "backwards", "down", "slow"}) {
      REQUIRE(store_->create(tag, 1000).ok());
    }
    store_->on_lease = [this](std::string_view tag, std::int64_t count) -> Result<IdRange> {
      if (tag == "exhausted") return Status(StatusCode::kExhausted, "the tag has no ids left");
      if (tag == "backwards") return Status(StatusCode::kDataLoss, "the store went backwards");
      if (tag == "down") return Status(StatusCode::kUnavailable, "the store is down");
      if (tag == "slow") gate.wait();
      return store_->memory().lease(tag, count);
    };
    const auto endpoint = server_.listen({asio::ip::make_address("127.0.0.1"), 0}, resp_);
    REQUIRE(endpoint.ok());
    port_ = endpoint->port();
    thread_ = std::thread([this] { server_.run(); });
  }
  ~RespServer() {
    gate.open();
    asio::post(server_.main_loop(), [this] { server_.stop(); });
    thread_.join();
    calls_.stop();
    allocator_.shutdown();
    calls_.join();
  }
  RespServer(const RespServer&) = delete;
  RespServer& operator=(const RespServer&) = delete;

  int port() const { return port_; }
  const RespProtocol& protocol() const { return resp_; }
  test::FaultStore& store() { return *store_; }
  Auth& auth() { return auth_; }
  void drain() {
    asio::post(server_.main_loop(), [this] { server_.drain(); });
  }

  // All that comes back for these bytes and an end of sending.
  std::string answers(const std::string& bytes) const {
    const RawClient client(port());
    client.send(bytes);
    client.end_sending();
    return client.read_to_end().value_or("no clean end");
  }

  test::Gate gate;  // opens the store's leases of `slow`

 private:
  static AllocatorOptions make_options(milliseconds wait_timeout) {
    AllocatorOptions options;
    options.wait_timeout = wait_timeout;
    return options;
  }
  static std::vector<Token> make_tokens(const std::vector<std::string>& lines) {
    std::vector<Token> tokens;
    for (const std::string& text : lines) {
      tokens.push_back(*parse_token(text));
      if (text == "reader") tokens.back().role = Role::kRead;
    }
    return tokens;
  }

  std::shared_ptr<test::FaultStore> store_ = std::make_shared<test::FaultStore>();
  Auth auth_;
  StoreCalls calls_;
  SegmentAllocator allocator_;
  RespProtocol resp_{{allocator_, store_, calls_, auth_}};
  NetServer server_;
  int port_ = 0;
  std::thread thread_;
};

std::string closed_by(const RawClient& client) { return client.read_to_end().value_or("open"); }

bool begins_with(const std::string& text, const std::string& begin) {
  return text.compare(0, begin.size(), begin) == 0;
}

}  // namespace

TEST_CASE("INCR returns the next id, and INCRBY the last of n", "[resp]") {
  const RespServer server;
  CHECK(server.answers("INCR order\r\n*2\r\n$4\r\nincr\r\n$5\r\norder\r\n") == ":1\r\n:2\r\n");
  CHECK(server.answers("INCRBY order 10\nINCR order\nINCRBY order 1\nINCR order\n") ==
        ":12\r\n:13\r\n:14\r\n:15\r\n");
  // More than memory holds, which the store leases.
  CHECK(server.answers("INCRBY order 1000000\nINCR order\n") == ":1000015\r\n:1000016\r\n");
  for (const char* bad : {"0", "-1", "1000001", "9223372036854775807"}) {
    INFO(bad);
    CHECK(begins_with(server.answers("INCRBY order " + std::string(bad) + "\n"),
                      "-ERR the increment is the number of ids, from 1 to 1000000"));
  }
  for (const char* bad : {"x", "1.0", "01", "+1", "''", "9223372036854775808"}) {
    INFO(bad);
    CHECK(server.answers("INCRBY order " + std::string(bad) + "\n") ==
          "-ERR value is not an integer or out of range\r\n");
  }
}

TEST_CASE("each error of ids has its word", "[resp]") {
  RespServer server;
  CHECK(begins_with(server.answers("INCR nope\n"), "-NOTAG "));
  CHECK(begins_with(server.answers("INCR exhausted\n"), "-EXHAUSTED "));
  CHECK(begins_with(server.answers("INCR backwards\n"), "-DATALOSS "));
  NetOptions options = quick_options();
  options.request_timeout = milliseconds(100);
  RespServer impatient(options);
  CHECK(begins_with(impatient.answers("INCR slow\n"), "-TIMEOUT "));
  CHECK(test::wait_until([&] {
    return begins_with(impatient.answers("INCR down\n"), "-UNAVAILABLE the store is down");
  }));
  CHECK(begins_with(server.answers("INCR ''\n"), "-ERR "));
  CHECK(begins_with(server.answers("INCR ' x'\n"), "-ERR "));
  CHECK(begins_with(server.answers("GET order\n"), "-ERR an id cannot be read"));
}

TEST_CASE("a tag with periods is refused, also once it is known", "[resp]") {
  RespServer server;
  NewTag daily(1000);
  daily.options.period = {PeriodKind::kDay, 0};
  REQUIRE(server.store().create("daily", daily).ok());
  const std::string refused =
      "-ERR tag 'daily' has periods, and an answer of this protocol cannot name one; ask over "
      "HTTP\r\n";
  CHECK(server.answers("INCR daily\r\n") == refused);
  CHECK(server.answers("INCR daily\r\nINCRBY daily 5\r\n") == refused + refused);
  const std::string row =
      "-ERR 'daily@2026-11-29' is a period of tag 'daily'; use 'daily' instead\r\n";
  for (int i = 0; i < 2; ++i) {
    CHECK(server.answers("INCR daily@2026-11-29\r\nINCRBY daily@2026-11-29 5\r\n") == row + row);
  }
}

TEST_CASE("answers come in the order of a pipeline, also after a wait", "[resp]") {
  RespServer server;
  const RawClient client(server.port());
  client.send("PING\nINCR slow\nECHO a\nINCRBY slow 3\nQUIT\nPING\n");
  CHECK(client.read_until("+PONG\r\n") == "+PONG\r\n");  // does not wait for the others
  REQUIRE(test::wait_until([&] { return server.protocol().parked == 1; }));
  CHECK(server.answers("INCR order\n") == ":1\r\n");
  server.gate.open();
  CHECK(closed_by(client) == ":1\r\n$1\r\na\r\n:4\r\n+OK\r\n");  // nothing after QUIT
  CHECK(server.protocol().parked == 0);
}

TEST_CASE("a command that waits outlives a client's half of the connection", "[resp]") {
  RespServer server;
  const RawClient client(server.port());
  client.send("INCR slow\n");
  client.end_sending();
  REQUIRE(test::wait_until([&] { return server.protocol().parked == 1; }));
  server.gate.open();
  CHECK(closed_by(client) == ":1\r\n");
}

TEST_CASE("too many commands that wait are told so", "[resp]") {
  NetOptions options = quick_options();
  options.parked_max = 1;
  RespServer server(options);
  const RawClient client(server.port());
  client.send("INCR slow\n");
  REQUIRE(test::wait_until([&] { return server.protocol().parked == 1; }));
  CHECK(begins_with(server.answers("INCR slow\n"), "-BUSY "));
  CHECK(begins_with(server.answers("EXISTS order\n"), "-BUSY "));
}

TEST_CASE("commands about the connection and the server", "[resp]") {
  const RespServer server;
  CHECK(server.answers("PING\nPING hi\nECHO 'a b'\nSELECT 0\nQUIT\n") ==
        "+PONG\r\n$2\r\nhi\r\n$3\r\na b\r\n+OK\r\n+OK\r\n");
  CHECK(server.answers("SELECT 1\nSELECT x\n") ==
        "-ERR DB index is out of range\r\n-ERR value is not an integer or out of range\r\n");
  CHECK(
      server.answers("CLIENT GETNAME\nCLIENT SETNAME a\nCLIENT GETNAME\nRESET\nCLIENT GETNAME\n") ==
      "$-1\r\n+OK\r\n$1\r\na\r\n+RESET\r\n$-1\r\n");
  CHECK(begins_with(server.answers("CLIENT SETNAME 'a b'\n"), "-ERR Client names cannot contain"));
  CHECK(server.answers("CLIENT SETINFO lib-name x\nCLIENT SETINFO LIB-VER 1\n") ==
        "+OK\r\n+OK\r\n");
  CHECK(server.answers("CLIENT SETINFO foo x\nCLIENT foo\nCLIENT ID 1\n") ==
        "-ERR Unrecognized option 'foo'\r\n"
        "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n"
        "-ERR wrong number of arguments for 'client|id' command\r\n");
  CHECK(server.answers("CLIENT INFO\n").find(" user=default ") != std::string::npos);
  CHECK(server.answers("INFO\n").find("redis_version:7.0.0\r\n") != std::string::npos);
  CHECK(server.answers("INFO replication\n") ==
        "$48\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n");
  CHECK(server.answers("EXISTS order nope user order ''\nTYPE order\nTYPE nope\n") ==
        ":3\r\n+string\r\n+none\r\n");
  CHECK(begins_with(server.answers("TIME\n"), "*2\r\n$10\r\n"));
  CHECK(server.answers("COMMAND COUNT\n") == ":" + std::to_string(resp_commands().size()) + "\r\n");
  CHECK(
      begins_with(server.answers("COMMAND INFO incr nope\n"),
                  "*2\r\n*10\r\n$4\r\nincr\r\n:2\r\n*2\r\n+write\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"));
  CHECK(begins_with(server.answers("COMMAND\n"),
                    "*" + std::to_string(resp_commands().size()) + "\r\n*10\r\n"));
  CHECK(begins_with(server.answers("COMMAND DOCS incr nope\n"), "*2\r\n$4\r\nincr\r\n*4\r\n"));
}

TEST_CASE("HELLO chooses the version", "[resp]") {
  const RespServer server;
  CHECK(begins_with(server.answers("HELLO\n"), "*14\r\n$6\r\nserver\r\n$9\r\nfeatherid\r\n"));
  CHECK(begins_with(server.answers("HELLO 3\n"), "%7\r\n"));
  CHECK(server.answers("HELLO 3 SETNAME a\nCLIENT GETNAME\nRESET\nCLIENT GETNAME\n")
            .find("$1\r\na\r\n+RESET\r\n$-1\r\n") != std::string::npos);
  CHECK(server.answers("HELLO 4\nHELLO x\nHELLO 3 FOO\nHELLO 3 SETNAME\n") ==
        "-NOPROTO unsupported protocol version\r\n"
        "-ERR Protocol version is not an integer or out of range\r\n"
        "-ERR Syntax error in HELLO option 'FOO'\r\n"
        "-ERR Syntax error in HELLO option 'SETNAME'\r\n");
}

TEST_CASE("everything else fails in Redis's words", "[resp]") {
  const RespServer server;
  CHECK(server.answers("FOO\n") == "-ERR unknown command 'FOO', with args beginning with: \r\n");
  CHECK(server.answers("set a 'b\\r\\n' \"c\\n\"\n") ==
        "-ERR unknown command 'set', with args beginning with: 'a' 'b\\r\\n' 'c ' \r\n");
  const std::string shown =
      server.answers(std::string(300, 'x') + " " + std::string(300, 'y') + " z\n");
  CHECK(shown == "-ERR unknown command '" + std::string(128, 'x') +
                     "', with args beginning with: '" + std::string(128, 'y') + "' \r\n");
  CHECK(server.answers("INCR\nINCR a b\nINCRBY a\nPING a b\nECHO\nTIME 1\n") ==
        "-ERR wrong number of arguments for 'incr' command\r\n"
        "-ERR wrong number of arguments for 'incr' command\r\n"
        "-ERR wrong number of arguments for 'incrby' command\r\n"
        "-ERR wrong number of arguments for 'ping' command\r\n"
        "-ERR wrong number of arguments for 'echo' command\r\n"
        "-ERR wrong number of arguments for 'time' command\r\n");
  CHECK(server.answers("*1\r\n$-1\r\nPING\n") == "-ERR Protocol error: invalid bulk length\r\n");
  CHECK(server.answers("PING\n*1\r\n$x\r\nPING\n") ==
        "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
}

TEST_CASE("INFO says for how long the server has run", "[resp]") {
  const auto uptime = [](const RespServer& server) {
    const std::string info = server.answers("INFO server\n");
    const std::string name = "uptime_in_seconds:";
    return std::stoll(info.substr(info.find(name) + name.size()));
  };
  RespServer old;
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(test::wait_until([&] { return std::chrono::steady_clock::now() - begin > seconds(2); }));
  RespServer young;
  const auto age = uptime(young);
  CHECK(age < uptime(old));
}

TEST_CASE("a page in a browser can ask for nothing", "[resp]") {
  RespServer server;
  CHECK(server.answers("POST / HTTP/1.1\r\nHost: x\r\n\r\nINCR order\r\n").empty());
  const std::string get = server.answers("GET / HTTP/1.1\r\nHost: x\r\n\r\nINCR order\r\n");
  CHECK(get == "-ERR wrong number of arguments for 'get' command\r\n");
  CHECK(server.store().leases() == 0);
}

TEST_CASE("a token opens what is closed", "[resp]") {
  RespServer server(quick_options(), {"secret", "reader"});
  CHECK(server.answers("PING\nINCR order\nFOO\n") ==
        "-NOAUTH Authentication required.\r\n-NOAUTH Authentication required.\r\n"
        "-ERR unknown command 'FOO', with args beginning with: \r\n");
  CHECK(begins_with(server.answers("HELLO 3\n"), "-NOAUTH HELLO must be called"));
  const std::string wrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
  CHECK(server.answers("AUTH x\nAUTH default x\nAUTH admin secret\nAUTH a b c\n") ==
        wrong + wrong + wrong + "-ERR syntax error\r\n");
  for (const char* token : {"secret", "reader"}) {
    INFO(token);
    CHECK(server.answers("AUTH " + std::string(token) + "\nPING\n") == "+OK\r\n+PONG\r\n");
    CHECK(server.answers("AUTH default " + std::string(token) + "\nPING\nRESET\nPING\n") ==
          "+OK\r\n+PONG\r\n+RESET\r\n-NOAUTH Authentication required.\r\n");
    CHECK(begins_with(server.answers("HELLO 3 AUTH default " + std::string(token) + "\nPING\n"),
                      "%7\r\n"));
  }
  CHECK(server.answers("QUIT\n") == "+OK\r\n");

  // A token that is taken away no longer counts on connections that have presented it.
  const RawClient client(server.port());
  client.send("AUTH reader\nPING\n");
  CHECK(client.read_until("+PONG\r\n"));
  Token other = *parse_token("other");
  other.role = Role::kRead;
  server.auth().change({*parse_token("secret"), other}, false);
  client.send("PING\n");
  CHECK(client.read_until("\r\n") == "-NOAUTH Authentication required.\r\n");
}

TEST_CASE("without a token that closes, everybody may ask", "[resp]") {
  const RespServer open;
  CHECK(open.answers("INCR order\n") == ":1\r\n");
  CHECK(begins_with(open.answers("AUTH x\n"), "-ERR AUTH <password> called without any password"));
  const RespServer admins_only(quick_options(), {"secret"});
  CHECK(admins_only.answers("INCR order\nAUTH secret\n") == ":1\r\n+OK\r\n");
  // Only a token that reads: a client on this machine needs none.
  const RespServer local(quick_options(), {"reader"});
  CHECK(local.answers("INCR order\n") == ":1\r\n");
}

TEST_CASE("a silent client may stay, and one that stops in a command may not", "[resp]") {
  NetOptions options = quick_options();
  options.header_timeout = milliseconds(50);
  options.idle_timeout = milliseconds(50);
  const RespServer server(options);
  const RawClient silent(server.port());
  const RawClient idle(server.port());
  idle.send("PING\n*0\r\n\r\n");
  const RawClient half(server.port());
  half.send("*1\r\n$4\r\nPI");
  CHECK(closed_by(half) == "-ERR Protocol error: the command did not arrive in time\r\n");
  CHECK_FALSE(silent.read_some(seconds(1)));
  for (const RawClient* client : {&silent, &idle}) {
    client->send("ECHO still\n");
    CHECK(client->read_until("still\r\n"));
  }
}

TEST_CASE("resp_idle_timeout closes idle connections", "[resp]") {
  NetOptions options = quick_options();
  options.header_timeout = milliseconds(50);
  options.resp_idle_timeout = milliseconds(100);
  const RespServer server(options);
  const RawClient silent(server.port());
  CHECK(closed_by(silent).empty());
  CHECK(test::wait_until([&] {  // a client that is slow to send is closed before it has
    const RawClient idle(server.port());
    idle.send("PING\n");
    return closed_by(idle) == "+PONG\r\n";
  }));
}

TEST_CASE("clients beyond the limit are told so in Redis's words", "[resp]") {
  NetOptions options = quick_options();
  options.connections_max = 1;
  const RespServer server(options);
  const RawClient first(server.port());
  first.send("PING\n");
  REQUIRE(first.read_until("\r\n"));
  CHECK(closed_by(RawClient(server.port())) == "-ERR max number of clients reached\r\n");
  CHECK(server.protocol().connections == 1);
}

TEST_CASE("a drain answers what has been sent, and then closes", "[resp]") {
  RespServer server;
  const RawClient idle(server.port());
  const RawClient busy(server.port());
  const RawClient waiting(server.port());
  for (const RawClient* client : {&idle, &busy}) {
    client->send("PING\n");
    REQUIRE(client->read_until("\r\n"));
  }
  waiting.send("INCR slow\nECHO end\n");
  REQUIRE(test::wait_until([&] { return server.protocol().parked == 1; }));
  server.drain();
  std::atomic<bool> over{false};
  std::thread sender([&] {  // never idle, and yet it ends
    while (!over) {
      busy.send("INCR order\n");
      if (!busy.read_until("\r\n")) break;
    }
  });
  CHECK(closed_by(idle).empty());
  sender.join();
  server.gate.open();
  CHECK(closed_by(waiting) == ":1\r\n$3\r\nend\r\n");
}

TEST_CASE("commands are counted by name and result", "[resp]") {
  const RespServer server;
  server.answers("INCR order\nINCR order\nINCR\nFOO\n*x\r\n");
  const ProtocolStats stats = server.protocol().stats();
  CHECK(stats.routes.front().name == "incr");
  CHECK(stats.routes.front().stats.answers.at(0) == 2);
  CHECK(stats.routes.front().stats.answers.at(1) == 1);
  CHECK(stats.routes.back().name.empty());
  CHECK(stats.routes.back().stats.answers.at(1) == 2);
  CHECK(stats.kinds.at(1) == "ERR");
  CHECK(stats.accepted == 1);
}

}  // namespace featherid
