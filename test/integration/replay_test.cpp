// SPDX-License-Identifier: MIT
// A proxy that lost an answer may say a client's words once more, on another connection. Here they
// are recorded, and said again after another process has leased what was given back.
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "test/integration/servers.h"
#include "test/support/forwarder.h"
#include "test/support/ports.h"
#include "test/support/raw_client.h"
#include "test/support/raw_sql.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// What a client has said: its login, and then one call of the server after another.
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
  const std::string front(bytes->substr(0, count));
  bytes->remove_prefix(count);
  return front;
}

// Each packet: three bytes of its length, the lowest first, a number, and as many bytes.
Conversation mysql_conversation(std::string_view bytes) {
  Conversation said;
  while (!bytes.empty()) {
    const std::string length{bytes[2], bytes[1], bytes[0]};
    std::string packet = take_front(&bytes, 4 + big_endian(length));
    (said.login.empty() ? said.login : said.calls.emplace_back()) = std::move(packet);
  }
  return said;
}

// Each message but the first: a letter, four bytes of its length with themselves, and the rest. A
// call ends in a query or a Sync.
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

// Two servers, as the test needs them: both let this user in without a password, so that a recorded
// login is good for another connection.
struct Mysql {
  static std::string url() { return mariadb().url(); }
  static std::string user_url() { return "mysql://replayed@127.0.0.1:3306/ids"; }
  static void let_user_in() {
    RawSql sql(url(), "CREATE OR REPLACE USER replayed@'%' IDENTIFIED BY ''");
    sql.run("GRANT ALL ON ids.* TO replayed@'%'");
  }
  static int port() { return mariadb().port(); }
  static Conversation conversation(const std::string& bytes) { return mysql_conversation(bytes); }
  static bool greets() { return true; }
};

struct Postgresql {
  static std::string url() { return postgresql().url(); }
  static std::string user_url() { return "postgresql://replayed@127.0.0.1:5432/ids"; }
  static void let_user_in() {
    RawSql sql(url());
    if (sql.number("SELECT count(*) FROM pg_roles WHERE rolname = 'replayed'") == 0) {
      sql.run("CREATE ROLE replayed LOGIN SUPERUSER");
      const std::string file = sql.text("SHOW hba_file");
      const std::string rules = read_file(file);
      std::ofstream(file) << "host all replayed 127.0.0.1/32 trust\n" << rules;
      sql.run("SELECT pg_reload_conf()");
    }
  }
  static int port() { return postgresql().port(); }
  static Conversation conversation(const std::string& bytes) {
    return postgresql_conversation(bytes);
  }
  static bool greets() { return false; }
};

// On a connection of its own: each call once the one before it is answered.
template <typename Server>
void say_again(const Conversation& said) {
  const RawClient client(Server::port());
  if (Server::greets()) REQUIRE(client.read_some());
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

TEMPLATE_TEST_CASE("a give-back that a proxy says again takes back nobody's lease", "[replay]",
                   Mysql, Postgresql) {
  const auto other = fresh_store(TestType::url());
  TestType::let_user_in();
  Forwarder proxy(TestType::port());
  proxy.begin_recording();
  const auto store =
      *open_soci_store(with_port(TestType::user_url(), proxy.port()), short_options());
  // A proxy makes its new connection what the lost one was.
  REQUIRE(store->find("order").ok());
  Conversation said = TestType::conversation(proxy.recorded());
  const Result<IdRange> tail = store->lease("order", 10);
  INFO(tail.status());
  REQUIRE(tail.ok());
  const std::size_t first_call = TestType::conversation(proxy.recorded()).calls.size();
  REQUIRE(store->give_back("order", *tail).value());
  std::vector<std::string> give_back = TestType::conversation(proxy.recorded()).calls;
  give_back.erase(give_back.begin(), give_back.begin() + static_cast<std::ptrdiff_t>(first_call));
  REQUIRE(*other->lease("order", 10) == *tail);

  SECTION("all of it") {}
  SECTION("the statement alone") {
    const auto is_update = [](const std::string& call) { return call.find("UPDATE") != call.npos; };
    give_back = {*std::find_if(give_back.begin(), give_back.end(), is_update)};
  }
  said.calls.insert(said.calls.end(), give_back.begin(), give_back.end());
  say_again<TestType>(said);
  CHECK(other->find("order")->max_id == tail->last());
  CHECK(other->lease("order", 10)->first == tail->end);
}
