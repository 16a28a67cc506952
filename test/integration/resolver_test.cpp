// SPDX-License-Identifier: MIT
// The time of a call holds whatever the resolver does, and however many addresses a name has.
// getaddrinfo() is replaced in this program, for the drivers too: it knows further names.
#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "test/integration/servers.h"
#include "test/support/ports.h"
#include "test/support/wait_until.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// What the names that tests make up stand for.
class Names {
 public:
  // Look-ups of a name without addresses hang until it has some.
  void set(const std::string& name, std::vector<std::string> addresses) {
    const std::lock_guard<std::mutex> lock(mutex_);
    names_[name] = std::move(addresses);
    changed_.notify_all();
  }
  bool knows(const std::string& name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return names_.count(name) != 0;
  }
  std::vector<std::string> look_up(const std::string& name) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return !names_[name].empty(); });
    return names_[name];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::string>> names_;
};

Names& names() {
  static Names names;
  return names;
}

std::string url_at(const std::string& scheme, const std::string& host, int port) {
  return scheme + "://featherid:p%40ss%3Aw%2Fd%25'%5C%201@" + host + ":" + std::to_string(port) +
         "/ids";
}

// The server of the scheme, which must have been started.
int server_port(const std::string& scheme) {
  return scheme == "mysql" ? mariadb().port() : postgresql().port();
}

std::unique_ptr<SegmentStore> store_of(const std::vector<std::string>& urls) {
  return open_soci_store(urls, short_options()).value();
}

}  // namespace

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): glibc's are reserved names
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node,
                                                                  const char* service,
                                                                  const addrinfo* hints,
                                                                  addrinfo** result) {
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || !names().knows(node)) return real(node, service, hints, result);
  addrinfo** end = result;
  *end = nullptr;
  for (const std::string& address : names().look_up(node)) {
    if (const int error = real(address.c_str(), service, hints, end); error != 0) return error;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return 0;
}

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
  for (int i = 0; i < 2; ++i) {  // one more than there may be look-ups
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
  const auto store = store_of({url_at(scheme, name, port), url_at(scheme, "127.0.0.1", port)});
  // On a busy machine its share of the first call may be too little for the second address.
  CHECK(wait_until([&] { return lease_one(*store).ok(); }));
  for (int i = 0; i < 3; ++i) CHECK(lease_one(*store).ok());
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
