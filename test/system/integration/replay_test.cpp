// SPDX-License-Identifier: MIT
// A proxy that lost an answer may send a client's bytes again on another connection. These tests
// record them and replay them after another process has leased what was given back.
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "test/support/forwarder.h"
#include "test/support/ports.h"
#include "test/support/raw_client.h"
#include "test/support/raw_sql.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// What a client has sent: its login, and then each call of the server.
struct Conversation {
  std::string login;
  std::vector<std::string> calls;
};

std::size_t big_endian(std::string_view bytes) {
  std::size_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::string take_front(std::string_view* bytes, std::size_t count) {
  REQUIRE(bytes->size() >= count);
  std::string front(bytes->substr(0, count));
  bytes->remove_prefix(count);
  return front;
}

// Each packet: three bytes of length (lowest first), a number, and that many bytes.
Conversation mysql_conversation(std::string_view bytes) {
  Conversation said;
  while (!bytes.empty()) {
    const std::string length{bytes[2], bytes[1], bytes[0]};
    std::string packet = take_front(&bytes, 4 + big_endian(length));
    (said.login.empty() ? said.login : said.calls.emplace_back()) = std::move(packet);
  }
  return said;
}

// Each message except the first: a letter, four bytes of length (which count themselves), and the
// rest. A call ends with a query or a Sync.
Conversation postgresql_conversation(std::string_view bytes) {
  constexpr std::size_t kRequestBytes = 8;  // whether the server speaks TLS
  if (big_endian(bytes.substr(0, 4)) == kRequestBytes) bytes.remove_prefix(kRequestBytes);
  Conversation said;
  said.login = take_front(&bytes, big_endian(bytes.substr(0, 4)));
  std::string call;
  while (!bytes.empty()) {
    const char kind = bytes[0];
    call += take_front(&bytes, 1 + big_endian(bytes.substr(1, 4)));
    if (kind == 'S' || kind == 'Q') said.calls.push_back(std::exchange(call, ""));
  }
  return said;
}

// A user without a password, so that a recorded login works on another connection.
void let_in_without_password(const InnodbServer& server) {
  RawSql sql(server.url(), "CREATE USER IF NOT EXISTS replayed@'%' IDENTIFIED BY ''");
  sql.run("GRANT ALL ON ids.* TO replayed@'%'");
}

void let_in_without_password(const PostgresqlServer& server) {
  RawSql sql(server.url());
  if (sql.number("SELECT count(*) FROM pg_roles WHERE rolname = 'replayed'") != 0) return;
  sql.run("CREATE ROLE replayed LOGIN SUPERUSER");
  const std::string file = sql.text("SHOW hba_file");
  const std::string rules = read_file(file);
  std::ofstream(file) << "host all replayed 127.0.0.1/32 trust\n" << rules;
  sql.run("SELECT pg_reload_conf()");
}

std::string url_without_password(const std::string& url) {
  return url.substr(0, url.find("//") + 2) + "replayed" + url.substr(url.rfind('@'));
}

// On a new connection. Sends each call after the answer to the one before.
void say_again(const Conversation& said, int port, bool greets) {
  const RawClient client(port);
  if (greets) REQUIRE(client.read_some());
  client.send(said.login);
  for (const std::string& call : said.calls) {
    REQUIRE(client.read_some());
    client.send(call);
  }
  REQUIRE(client.read_some());
  client.end_sending();
  REQUIRE(client.read_to_end());
}

}  // namespace

TEMPLATE_TEST_CASE("a give-back that a proxy replays takes back nobody's lease", "[replay]",
                   MYSQL_SERVERS, PostgresqlServer) {
  const TestType& server = shared<TestType>();
  constexpr bool kIsPostgresql = std::is_same_v<TestType, PostgresqlServer>;
  const auto conversation = kIsPostgresql ? postgresql_conversation : mysql_conversation;
  const auto other = fresh_store(server.url());
  let_in_without_password(server);
  Forwarder proxy(server.port());
  proxy.begin_recording();
  const auto store = *open_soci_store(with_port(url_without_password(server.url()), proxy.port()),
                                      patient_options());
  // A proxy sets up its new connection like the lost one.
  REQUIRE(store->find("order").ok());
  Conversation said = conversation(proxy.recorded());
  const Result<IdRange> tail = store->lease("order", 10);
  INFO(tail.status());
  REQUIRE(tail.ok());
  const std::size_t first_call = conversation(proxy.recorded()).calls.size();
  REQUIRE(store->give_back("order", *tail).value());
  std::vector<std::string> give_back = conversation(proxy.recorded()).calls;
  give_back.erase(give_back.begin(), give_back.begin() + static_cast<std::ptrdiff_t>(first_call));
  REQUIRE(*other->lease("order", 10) == *tail);

  SECTION("all of it") {}
  SECTION("the statement alone") {
    const auto is_update = [](const std::string& call) {
      return call.find("UPDATE") != std::string::npos;
    };
    give_back = {*std::find_if(give_back.begin(), give_back.end(), is_update)};
  }
  said.calls.insert(said.calls.end(), give_back.begin(), give_back.end());
  say_again(said, server.port(), !kIsPostgresql);
  CHECK(other->find("order")->max_id == tail->last());
  CHECK(other->lease("order", 10)->first == tail->end);
}
