// SPDX-License-Identifier: MIT
#include "lib/store/http_client/host_resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "lib/base/mutex.h"
#include "lib/base/stay_loaded.h"

namespace featherid {

namespace {

[[gnu::constructor]] void at_load() { stay_loaded(); }

std::vector<std::string> look_up_with(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  std::vector<std::string> addresses;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

struct HostResolver::State {
  State(std::string host_in, LookUp look_up_in)
      : host(std::move(host_in)), look_up(std::move(look_up_in)) {}

  const std::string host;
  const LookUp look_up;

  Mutex mutex;
  CondVar changed;
  bool running GUARDED_BY(mutex) = false;
  int finished GUARDED_BY(mutex) = 0;  // look-ups so far
  std::vector<std::string> found GUARDED_BY(mutex);
};

HostResolver::HostResolver(std::string host, LookUp look_up)
    : state_(std::make_shared<State>(std::move(host), std::move(look_up))) {}

std::vector<std::string> HostResolver::system_look_up(const std::string& host) {
  return look_up_with(host, AI_ADDRCONFIG);
}

Result<std::vector<std::string>> HostResolver::resolve(TimePoint deadline) {
  State& state = *state_;
  std::vector<std::string> numeric = look_up_with(state.host, AI_NUMERICHOST);
  if (!numeric.empty()) return numeric;
  const MutexLock lock(state.mutex);
  const int before = state.finished;
  if (!state.running) {
    state.running = true;
    try {
      std::thread([shared = state_] {
        std::vector<std::string> found;
        try {
          found = shared->look_up(shared->host);
        } catch (const std::exception&) {  // no memory: as if nothing was found
        }
        const MutexLock end(shared->mutex);
        shared->found = std::move(found);
        ++shared->finished;
        shared->running = false;
        shared->changed.notify_all();
      }).detach();
    } catch (const std::system_error&) {
      state.running = false;
      return Status(StatusCode::kUnavailable,
                    "there is no thread to look up the host " + state.host + " on");
    }
  }
  while (state.finished == before) {
    if (!state.changed.wait_until(state.mutex, deadline) && state.finished == before) {
      return Status(StatusCode::kUnavailable,
                    "the address of the host " + state.host +
                        " was not found in time; check the name, and the name server");
    }
  }
  if (!state.found.empty()) return state.found;
  return Status(StatusCode::kUnavailable,
                "the host " + state.host + " has no address; check the name, and the name server");
}

}  // namespace featherid
