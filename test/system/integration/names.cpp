// SPDX-License-Identifier: MIT
#include "test/system/integration/names.h"

#include <dlfcn.h>
#include <netdb.h>

#include <utility>

namespace featherid::test {

void Names::set(const std::string& name, std::vector<std::string> addresses) {
  const std::lock_guard<std::mutex> lock(mutex_);
  names_[name] = std::move(addresses);
  changed_.notify_all();
}

bool Names::knows(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return names_.count(name) != 0;
}

std::vector<std::string> Names::look_up(const std::string& name) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return !names_[name].empty(); });
  return names_[name];
}

Names& names() {
  static Names names;
  return names;
}

}  // namespace featherid::test

using featherid::test::names;

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
