// SPDX-License-Identifier: MIT
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "server/api/id_routes.h"
#include "server/log/json.h"
#include "test/proof/fuzz/corpus.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/gate.h"
#include "test/support/raw_client.h"
#include "test/support/wait_until.h"
#include "test/unit/server/served.h"

namespace featherid {

namespace {

using std::chrono::milliseconds;
using test::RawClient;
using test::Served;

// The id routes over a store of their own, whose tags are in every state there is.
struct IdServer {
  explicit IdServer(milliseconds request_timeout = std::chrono::seconds(20))
      : allocator(store, make_options(request_timeout)) {
    add_id_routes(router, {allocator, texts}, 1000);
    for (const char* path : {"/", "/throws"}) {
      router.get(path, Effect::kNone, [](Exchange& exchange) {
        if (exchange.request.path == "/throws") throw std::runtime_error("X: secret\r\nY: z");
        const std::string* text = exchange.query.find("text");
        exchange.reply.succeed(json_string(text != nullptr ? *text : "nothing"));
      });
    }
    NetOptions options;
    options.request_timeout = request_timeout;
    served.emplace(router, options);
  }

  static std::shared_ptr<Store> make_store() {
    auto store = std::make_shared<test::FaultStore>();
    for (const char* tag : {"order", "exhausted", "backwards", "down"}) {
      REQUIRE(store->create(tag, 100000).ok());
    }
    store->on_lease = [store = store.get()](std::string_view tag,
                                            std::int64_t count) -> Result<IdRange> {
      if (tag == "exhausted") return Status(StatusCode::kExhausted, "the tag has no ids left");
      if (tag == "backwards") return Status(StatusCode::kDataLoss, "the store went backwards");
      if (tag == "down") return Status(StatusCode::kUnavailable, "the store is down");
      return store->memory().lease(tag, count);
    };
    return store;
  }
  static AllocatorOptions make_options(milliseconds wait_timeout) {
    AllocatorOptions options;
    options.wait_timeout = wait_timeout;
    return options;
  }

  Router router;
  StoreCalls calls;
  std::shared_ptr<Store> store = make_store();
  TagTexts texts{store, calls, {}};
  SegmentAllocator allocator;
  std::optional<Served> served;
};

std::string request(const std::string& target, const std::string& method = "GET") {
  return method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

// Good and bad ways to ask for ids. The last one closes the connection.
std::vector<std::string> calls() {
  std::vector<std::string> calls;
  for (const std::string call : {"/api/v1/id", "/api/v1/id/batch", "/api/v1/id/range"}) {
    for (const char* query : {"",
                              "?",
                              "?biz_tag",
                              "?biz_tag=",
                              "?biz_tag=order",
                              "?biz_tag=order&count=3",
                              "?biz_tag=order&count=3&as=string",
                              "?biz_tag=order&count=1000",
                              "?biz_tag=order&count=0",
                              "?biz_tag=order&count=1001",
                              "?biz_tag=order&count=-1",
                              "?biz_tag=order&count=x",
                              "?biz_tag=order&as=float",
                              "?biz_tag=order&biz_tag=order",
                              "?biz_tag=nope&count=1",
                              "?biz_tag=exhausted&count=1",
                              "?biz_tag=backwards&count=1",
                              "?biz_tag=%zz",
                              "?biz_tag=%00&count=1",
                              "?biz_tag=%ff&count=1",
                              "?biz_tag=a%0d%0ab&count=1",
                              "?biz_tag=%20order&count=1",
                              "?biz_tag=%E8%AE%A2&count=1",
                              "?a?b"}) {
      for (const char* method : {"GET", "HEAD", "POST"})
        calls.push_back(request(call + query, method));
    }
  }
  calls.push_back(request("/throws"));
  calls.push_back("GET /api/v1/id?biz_tag=order HTTP/1.0\r\n\r\n");
  return calls;
}

// Each server numbers its requests from a number of its own, and a second may end between two
// answers.
std::string comparable(std::string answers) {
  for (const std::string name : {"\r\nX-Request-Id: ", "\r\nDate: "}) {
    for (std::size_t at = answers.find(name); at != std::string::npos;
         at = answers.find(name, at + 1)) {
      const std::size_t value = at + name.size();
      answers.replace(value, answers.find('\r', value) - value, "?");
    }
  }
  return answers;
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

void connect(const Served& served, int count, std::list<RawClient>* clients) {
  for (int i = 0; i < count; ++i) clients->emplace_back(served.port());
}

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

}  // namespace

TEST_CASE("a pipeline has the answers that its requests have one by one", "[http_server]") {
  const IdServer apart;
  const IdServer together;
  std::string pipeline;
  std::string answers;
  for (const std::string& call : calls()) {
    INFO(call);
    pipeline += call;
    const std::string answer = apart.served->answers(call);
    REQUIRE(answer != "no clean end");
    answers += answer;
  }
  CHECK(comparable(together.served->answers(pipeline)) == comparable(answers));
}

TEST_CASE("whatever the gate meets has whole answers", "[http_server]") {
  const IdServer server;
  for (const test::CorpusCase& one : test::read_corpus()) {
    INFO(one.name);
    const std::string answer = server.served->answers(one.bytes);
    REQUIRE(answer != "no clean end");
    CHECK(count(answer, "\r\nCache-Control: no-store\r\n") ==
          count(answer, "\r\nContent-Length: "));
  }
}

TEST_CASE("who waits for a store that is down is told so", "[http_server]") {
  const IdServer server(milliseconds(50));
  CHECK(test::wait_until([&] {  // the first waits may end before the store has said anything
    const std::string answer = server.served->answers(request("/api/v1/id?biz_tag=down"));
    REQUIRE(answer.find("\r\n\r\n") != std::string::npos);
    CHECK(answer.substr(9, 2) == "50");
    return answer.find("the store is down") != std::string::npos;
  }));
}

TEST_CASE("what a route throws stays in the log", "[http_server]") {
  const std::string answer = IdServer().served->answers(request("/throws"));
  CHECK(answer.rfind("HTTP/1.1 500 ", 0) == 0);
  CHECK(answer.find("secret") == std::string::npos);
}

TEST_CASE("a client that is gone when its wait ends harms nobody", "[http_server]") {
  std::mutex mutex;
  std::vector<Exchange::Resume> resumes;
  Router router;
  router.get("/", Effect::kUsesIds, [&](Exchange& exchange) {
    if (exchange.wait.expired) return exchange.reply.fail_for_now("late");
    exchange.park([&](Exchange::Resume resume) {
      const std::lock_guard<std::mutex> lock(mutex);
      resumes.push_back(std::move(resume));
    });
  });
  NetOptions options;
  options.request_timeout = milliseconds(50);
  const Served served(router, options);
  const auto waiting = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    return resumes;
  };
  { RawClient(served.port()).send(request("/")); }
  REQUIRE(test::wait_until([&] { return waiting().size() == 1; }));
  CHECK(served.answers(request("/")).rfind("HTTP/1.1 503 ", 0) == 0);
  for (int i = 0; i < 3; ++i) {
    for (const Exchange::Resume& resume : waiting()) resume(Status());
  }
  CHECK(served.answers(request("/nix")).rfind("HTTP/1.1 404 ", 0) == 0);
}

TEST_CASE("sockets have NODELAY, a long backlog, a port of their own and bounded buffers",
          "[http_server]") {
  const Router router;
  const Served served(router);
  const RawClient client(served.port());
  client.send(request("/"));
  REQUIRE(client.read_until("}"));
  int connections = 0;
  int listeners = 0;
  for (int fd = 0; fd < 1024; ++fd) {  // the server runs in this process
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        address.sin_family != AF_INET || ntohs(address.sin_port) != served.port()) {
      continue;
    }
    if (option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1) {
      ++listeners;
      CHECK(option(fd, SOL_SOCKET, SO_REUSEPORT) == 0);
      tcp_info info{};
      size = sizeof info;
      REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
      CHECK(info.tcpi_sacked >= 128);  // a listener's backlog
    } else {
      ++connections;
      CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
      CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
      CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 120);
      CHECK(option(fd, SOL_SOCKET, SO_SNDBUF) <= 256 * 1024);
      CHECK(option(fd, SOL_SOCKET, SO_RCVBUF) <= 256 * 1024);
    }
  }
  CHECK(listeners == 1);
  CHECK(connections == 1);
}

TEST_CASE("a flood does not pile up before a loop that takes no connections", "[http_server]") {
  test::Gate gate;
  std::atomic<bool> hangs{false};
  Router router;
  router.get("/hangs", Effect::kUsesIds, [&](Exchange& exchange) {
    hangs = true;
    gate.wait();
    exchange.reply.succeed("0");
  });
  NetOptions options;
  options.io_threads = 2;
  options.connections_max = NetServer::kGatherMax + 20;
  {
    const Served served(router, options);
    std::list<RawClient> first;  // of the loop that accepts
    connect(served, NetServer::kGatherMax, &first);
    const RawClient second(served.port());
    second.send(request("/hangs"));
    REQUIRE(test::wait_until([&] { return hangs.load(); }));
    std::list<RawClient> flood;  // of the second one's loop, which has fewer
    connect(served, 200, &flood);
    CHECK(flood.back().read_to_end() == "");  // let go at once
    const auto held = std::count_if(flood.begin(), flood.end(), [](const RawClient& client) {
      return !client.read_some(milliseconds(1));
    });
    CHECK(held <= 20 + 16);  // and as many as are told so
    gate.open();
  }
}

TEST_CASE("a refused connection takes no place from others", "[http_server]") {
  const Router router;
  NetOptions options;
  options.connections_max = 1;
  const Served served(router, options);
  std::list<RawClient> first;
  connect(served, 1, &first);
  const RawClient refused(served.port());
  const std::string refusal = refused.read_until("}").value_or("");
  CHECK(refusal.rfind("HTTP/1.1 503 ", 0) == 0);
  CHECK(served.connections() == 1);
  first.clear();
  REQUIRE(test::wait_until([&] { return served.connections() == 0; }));
  CHECK(served.answers(request("/")).rfind("HTTP/1.1 404 ", 0) == 0);
}

TEST_CASE("connections gather on few event loops, and spread when these are full",
          "[http_server]") {
  constexpr int kMax = NetServer::kGatherMax;
  Router router;
  router.get("/loop", Effect::kNone, [](Exchange& exchange) {
    const std::hash<std::thread::id> number;
    exchange.reply.succeed(std::to_string(number(std::this_thread::get_id())));
  });
  NetOptions options;
  options.io_threads = 3;
  const Served served(router, options);
  std::list<RawClient> clients;
  // The number of connections of each loop, sorted.
  const auto by_loop = [&clients] {
    std::map<std::string, int> connections;
    for (const RawClient& client : clients) {
      client.send(request("/loop"));
      const std::string answer = client.read_until("}").value_or("");
      const std::size_t body = answer.find("\r\n\r\n");
      REQUIRE(body != std::string::npos);
      ++connections[answer.substr(body)];
    }
    std::vector<int> sorted;
    for (const auto& [loop, count] : connections) sorted.push_back(count);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };

  connect(served, kMax, &clients);
  CHECK(by_loop() == std::vector<int>{kMax});
  connect(served, 1, &clients);
  CHECK(by_loop() == std::vector<int>{1, kMax});
  connect(served, 2 * kMax - 1, &clients);
  CHECK(by_loop() == std::vector<int>{kMax, kMax, kMax});
  connect(served, 3 * 5, &clients);
  CHECK(by_loop() == std::vector<int>{kMax + 5, kMax + 5, kMax + 5});

  // The first loop has room again.
  clients.erase(clients.begin(), std::next(clients.begin(), kMax));
  REQUIRE(test::wait_until([&] { return served.connections() == 2 * kMax + 15; }));
  CHECK(by_loop() == std::vector<int>{5, kMax + 5, kMax + 5});
  connect(served, kMax - 5, &clients);
  CHECK(by_loop() == std::vector<int>{kMax, kMax + 5, kMax + 5});
}

TEST_CASE("connections leave descriptors to others", "[http_server]") {
  CHECK(NetServer::connections_within(1) == 1);
  CHECK(NetServer::connections_within(256) == 128);
  CHECK(NetServer::connections_within(1024) == 512);
  CHECK(NetServer::connections_within(4096) == 3584);
  CHECK(NetServer::connections_within(~std::uint64_t{0}) == std::numeric_limits<int>::max());
}

}  // namespace featherid
