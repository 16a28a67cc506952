// SPDX-License-Identifier: MIT
// What the gate keeps from the routes, seen from outside: one test for each weakness that some
// version of a common HTTP library has had, and the whole corpus of the fuzzer.
#include <optional>
#include <string>
#include <vector>

#include "test/proof/fuzz/corpus.h"
#include "test/support/catch.h"
#include "test/support/frozen.h"
#include "test/support/raw_client.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr std::int64_t kGrownKbMax = 4 * 1024;  // the sanitizer keeps shadow memory
#else
constexpr std::int64_t kGrownKbMax = 1024;
#endif

const std::string kHost = "Host: 127.0.0.1\r\n";
const std::string kPost = "POST /api/v1/id?biz_tag=order HTTP/1.1\r\n" + kHost;
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

std::string get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\n" + kHost + headers + "\r\n";
}

// The server's whole answer to these bytes, up to its close.
std::string answers(const ServerProcess& server, const std::string& bytes) {
  const RawClient client(server.port());
  client.send(bytes);
  client.end_sending();
  return client.read_to_end().value_or("no clean end");
}

// The statuses of one answer or several.
std::vector<int> statuses(const std::string& answers) {
  std::vector<int> found;
  for (std::size_t at = answers.find("HTTP/1.1 "); at != std::string::npos;
       at = answers.find("HTTP/1.1 ", at + 1)) {
    found.push_back(std::stoi(answers.substr(at + 9, 3)));
  }
  return found;
}

bool ends_the_connection(const std::string& answers) {
  const std::size_t last = answers.rfind("HTTP/1.1 ");
  return last != std::string::npos &&
         answers.find("\r\nConnection: close\r\n", last) != std::string::npos;
}

// One rejection and nothing after it.
void check_rejected(const ServerProcess& server, const std::string& bytes, int status) {
  INFO(bytes.substr(0, 300));
  const std::string answer = answers(server, bytes);
  INFO(answer);
  CHECK(statuses(answer) == std::vector<int>{status});
  CHECK(ends_the_connection(answer));
}

}  // namespace

TEST_CASE("each file of the gate's corpus is answered as its name says", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (const CorpusCase& one : read_corpus()) {
    const std::string answer = answers(server, one.bytes);
    INFO(one.name << ":\n" << answer);
    const std::vector<int> found = statuses(answer);
    if (one.status != 0) {
      REQUIRE(!found.empty());
      CHECK(found.back() == one.status);
      CHECK(ends_the_connection(answer));
    } else if (!one.more) {
      CHECK(!found.empty());
    }
    for (std::size_t i = 0; i + 1 < found.size(); ++i) CHECK(found[i] < 408);
  }
  CHECK(server.get("/healthz").status == 200);
}

TEST_CASE("request smuggling: none of the pairs gets a second answer", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  int pairs = 0;
  for (const CorpusCase& one : read_corpus()) {
    if (one.name.find("smuggle") == std::string::npos) continue;
    ++pairs;
    check_rejected(server, one.bytes, one.status);
  }
  CHECK(pairs >= 20);
  // A body that looks like a request is still a body.
  const std::string inside = get("/api/v1/id?biz_tag=order");
  CHECK(statuses(answers(server, kPost + "Content-Length: " + std::to_string(inside.size()) +
                                     "\r\n\r\n" + inside)) == std::vector<int>{405});
  CHECK(server.id() == 1);
}

TEST_CASE("a payload limit that chunked bodies pass by", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  std::string bytes = kChunked;
  for (int i = 0; i < 100; ++i) bytes += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  const RawClient client(server.port());
  client.send(kChunked);
  const auto answer = client.read_until("}");  // at once, before a byte of the body
  REQUIRE(answer);
  CHECK(statuses(*answer) == std::vector<int>{501});
  REQUIRE(server.get("/readyz").status == 200);  // otherwise the start may still take memory
  const std::int64_t before_kb = server.rss_kb();
  client.send(bytes);
  CHECK(server.rss_kb() < before_kb + kGrownKbMax);
}

TEST_CASE("a negative size of a chunk", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (const char* size : {"-1", "-0", "ffffffffffffffff", "8000000000000000", ""}) {
    check_rejected(server, kChunked + size + "\r\nx\r\n0\r\n\r\n", 501);
  }
  CHECK(server.id() == 1);
}

TEST_CASE("header lines and counts without bound", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const std::string begin = "GET /healthz HTTP/1.1\r\n" + kHost;
  const std::string megabyte(1 << 20, 'x');
  REQUIRE(server.get("/readyz").status == 200);  // otherwise the start may still take memory
  const std::int64_t before_kb = server.rss_kb();
  std::string many = begin;
  for (int i = 0; i < 100000; ++i) many += "A: b\r\n";
  for (const std::string& bytes : {begin + "X: " + megabyte, begin + megabyte, many}) {
    const RawClient client(server.port());
    client.send(bytes);
    const auto answer = client.read_until("}");
    REQUIRE(answer);
    CHECK(statuses(*answer) == std::vector<int>{431});
  }
  CHECK(server.rss_kb() < before_kb + kGrownKbMax);
}

TEST_CASE("CR and LF out of a request in the header of an answer", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const std::string evil = "a%0d%0aSet-Cookie:%20x=1%0d%0a%0d%0a%3Chtml%3E";
  for (const std::string& target :
       {"/api/v1/id?biz_tag=" + evil, "/api/v1/id?" + evil + "=1&" + evil + "=2",
        "/api/v1/id/range?biz_tag=" + evil + "&count=1",
        "/api/v1/id/batch?biz_tag=order&count=" + evil, "/" + evil,
        "/api/v1/log/level?level=" + evil, "/api/v1/id?biz_tag=order&as=" + evil}) {
    const std::string answer = answers(server, get(target));
    INFO(answer);
    CHECK(statuses(answer).size() == 1);
    CHECK(answer.find("\nSet-Cookie") == std::string::npos);
    CHECK(answer.find('\n', answer.find("\r\n\r\n") + 4) == std::string::npos);
  }
}

TEST_CASE("a REMOTE_ADDR header that passes for the peer's address", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const std::string level = "/api/v1/log/level?level=info";
  // The peer is the loopback. The header neither makes it foreign nor makes a proxy trusted.
  CHECK(statuses(answers(server, get(level, "REMOTE_ADDR: 192.0.2.1\r\n"))) ==
        std::vector<int>{200});
  CHECK(statuses(answers(server, get(level,
                                     "REMOTE_ADDR: 127.0.0.1\r\n"
                                     "X-Forwarded-For: 192.0.2.1\r\n"))) == std::vector<int>{403});
}

TEST_CASE("decompression bombs", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (const char* encoding : {"gzip", "deflate", "br", "zstd", "gzip, gzip", "identity"}) {
    check_rejected(server,
                   kPost + "Content-Encoding: " + encoding + "\r\nContent-Length: 10000\r\n\r\n" +
                       std::string(10000, '\x1f'),
                   415);
  }
}

TEST_CASE("the text of an exception in a header", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(
      scratch, {"--database", "sqlite3:/proc/no/ids.db", "--request-timeout", "100ms"});
  for (const char* target : {"/api/v1/id?biz_tag=order", "/api/v1/id/range?biz_tag=order&count=1",
                             "/readyz", "/api/v1/id?biz_tag=%", "/nix"}) {
    const std::string answer = answers(server, get(target));
    const std::string head = answer.substr(0, answer.find("\r\n\r\n"));
    INFO(answer);
    CHECK(statuses(answer).front() >= 400);
    CHECK(head.find("EXCEPTION") == std::string::npos);
    CHECK(head.find("ids.db") == std::string::npos);
  }
}

TEST_CASE("a multipart body that crashes the parser", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  for (const std::string& boundary : {std::string(), std::string("b"), std::string(1000, 'b')}) {
    for (const std::string& body :
         {std::string(), "--" + boundary, "--" + boundary + "\r\n",
          "--" + boundary + "\r\nContent-Disposition: form-data; name=\"a\"; filename*=\"\r\n",
          "--" + boundary + "\r\n:\r\n\r\n--" + boundary + "--"}) {
      const std::string answer = answers(
          server, kPost + "Content-Type: multipart/form-data; boundary=" + boundary +
                      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
      CHECK(statuses(answer) == std::vector<int>{405});
    }
  }
  CHECK(server.id() == 1);
}

TEST_CASE("keep-alive for five requests", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const RawClient client(server.port());
  for (int i = 0; i < 200; ++i) {
    client.send(get(i % 2 == 0 ? "/healthz" : "/api/v1/id?biz_tag=order"));
    const auto answer = client.read_until("}");
    REQUIRE(answer);
    CHECK(statuses(*answer) == std::vector<int>{200});
    CHECK(!ends_the_connection(*answer));
  }
}

TEST_CASE("a backlog of five", "[e2e][gate]") {
  const ScratchDir scratch;
  ServerProcess server(scratch);
  std::vector<std::unique_ptr<RawClient>> clients;
  {
    const Frozen frozen(server.process().pid());
    for (int i = 0; i < 100; ++i) {  // none of them waits for the server
      clients.push_back(std::make_unique<RawClient>(server.port()));
      clients.back()->send(get("/healthz"));
    }
  }
  for (const auto& client : clients) CHECK(client->read_until("\"ok\"}"));
}

TEST_CASE("two servers on one port", "[e2e][gate]") {
  const ScratchDir scratch;
  const ServerProcess first(scratch);
  const RunResult second =
      run_server(scratch, {"--listen", "127.0.0.1:" + std::to_string(first.port())});
  CHECK(second.exit_code == 1);
  CHECK(second.output.find("Address already in use") != std::string::npos);
}

TEST_CASE("an answer to HEAD has no body, whatever is wrong with the request", "[e2e][gate]") {
  const ScratchDir scratch;
  ServerProcess server(scratch, {"--header-timeout", "300ms"});
  const std::string head = "HEAD /healthz HTTP/1.1\r\n";
  struct Case {
    std::string bytes;
    int status;
  };
  const Case cases[] = {
      {head + "\r\n", 400},
      {head + "nonsense\r\n", 400},
      {"HEAD nonsense\r\n", 400},
      {"HEAD /healthz HTTP/2.0\r\n" + kHost + "\r\n", 505},
      {"HEAD /" + std::string(9000, 'x') + " HTTP/1.1\r\n" + kHost + "\r\n", 414},
      {"HEAD /nix HTTP/1.1\r\nConnection: close\r\n" + kHost + "\r\n", 404},
      {head, 408},
  };
  for (const Case& bad : cases) {
    INFO(bad.bytes.substr(0, 100));
    std::optional<Frozen> frozen(server.process().pid());  // all is sent when it is accepted
    const RawClient client(server.port());
    client.send(bad.bytes);
    frozen.reset();
    const std::string answer = client.read_to_end().value_or("");
    INFO(answer);
    CHECK(statuses(answer) == std::vector<int>{bad.status});
    CHECK(answer.find("\r\nContent-Length: ") != std::string::npos);
    CHECK(answer.find("\r\n\r\n") + 4 == answer.size());
  }
}

}  // namespace featherid::test
