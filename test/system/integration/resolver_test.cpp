// SPDX-License-Identifier: MIT
// A call ends in time whatever the resolver does and however many addresses a name has.
#include <string>
#include <vector>

#include "test/support/ports.h"
#include "test/support/wait_until.h"
#include "test/system/integration/names.h"
#include "test/system/integration/servers.h"

using namespace featherid;
using namespace featherid::test;

namespace {

std::string url_at(const std::string& scheme, const std::string& host, int port) {
  return scheme + "://featherid:p%40ss%3Aw%2Fd%25'%5C%201@" + host + ":" + std::to_string(port) +
         "/ids";
}

// The scheme's server, which must be running.
int server_port(const std::string& scheme) {
  return scheme == "mysql" ? mariadb().port() : postgresql().port();
}

std::unique_ptr<Store> store_of(const std::vector<std::string>& urls,
                                const SociStoreOptions& options = short_options()) {
  return open_soci_store(urls, options).value();
}

}  // namespace

TEST_CASE("resolver: a look-up that hangs ends the call in time, and later ones serve",
          "[resolver]") {
  const std::string scheme = GENERATE("mysql", "postgresql");
  INFO(scheme);
  const int port = server_port(scheme);
  fresh_store(url_at(scheme, "127.0.0.1", port));
  const std::string name = scheme + "-hangs.test";
  names().set(name, {});
  SociStoreOptions options = short_options();
  options.sessions_max = 1;
  const auto store = open_soci_store(url_at(scheme, name, port), options).value();
  for (int i = 0; i < 2; ++i) {  // one more than the limit of look-ups
    const Status status = lease_one(*store);
    CHECK(status.code() == StatusCode::kUnavailable);
    CHECK(says(status, name));
    CHECK(says(status, "can be looked up"));
  }
  names().set(name, {"127.0.0.1"});
  CHECK(wait_until([&] { return lease_one(*store).ok(); }));
}

TEST_CASE("resolver: behind an address whose look-up hangs the next one serves", "[resolver]") {
  const std::string scheme = GENERATE("mysql", "postgresql");
  INFO(scheme);
  const int port = server_port(scheme);
  fresh_store(url_at(scheme, "127.0.0.1", port));
  const std::string name = scheme + "-first-hangs.test";
  names().set(name, {});
  const SociStoreOptions options = spare_options();
  const auto store =
      store_of({url_at(scheme, name, port), url_at(scheme, "127.0.0.1", port)}, options);
  const auto lease = [&] { return lease_one(*store, options.call_timeout); };
  // On a busy machine the second address's share of the first call may be too short.
  CHECK(wait_until([&] { return lease().ok(); }));
  for (int i = 0; i < 3; ++i) CHECK(lease().ok());
  names().set(name, {"127.0.0.1"});
}

TEST_CASE("resolver: several addresses behind several names cost no more than the call's time",
          "[resolver]") {
  const std::string scheme = GENERATE("mysql", "postgresql");
  INFO(scheme);
  const UnreachablePort first("127.0.0.2");
  const UnreachablePort second("127.0.0.3", first.port());
  const UnreachablePort third("127.0.0.4", first.port());
  std::vector<std::string> urls;
  for (const char* name : {"holes-a.test", "holes-b.test"}) {
    names().set(name, {"127.0.0.2", "127.0.0.3", "127.0.0.4"});
    urls.push_back(url_at(scheme, name, first.port()));
  }
  for (const auto& addresses : {urls, std::vector<std::string>{urls[0]}}) {
    CHECK(lease_one(*store_of(addresses)).code() == StatusCode::kUnavailable);
  }
}

TEST_CASE("resolver: a good address behind one that never answers serves a later call",
          "[resolver]") {
  const std::string scheme = GENERATE("mysql", "postgresql");
  INFO(scheme);
  const int port = server_port(scheme);
  fresh_store(url_at(scheme, "127.0.0.1", port));
  const UnreachablePort hole("127.0.0.2", port);
  const std::string name = scheme + "-second-is-good.test";
  names().set(name, {"127.0.0.2", "127.0.0.1"});
  const auto store = store_of({url_at(scheme, name, port)});
  CHECK(wait_until([&] { return lease_one(*store).ok(); }));
}
