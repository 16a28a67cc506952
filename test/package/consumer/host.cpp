// SPDX-License-Identifier: MIT
// host PLUGIN HANGS   unloads a plugin with FeatherID inside while one of its threads is in a call
// that hangs, and then lets the call return.
#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>

namespace {

std::atomic<bool> released{false};
std::atomic<int> hanging{0};

void hang() {
  ++hanging;
  while (!released) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

auto threads() { return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}); }

template <typename Condition>
bool wait_until(Condition condition) {
  for (int i = 0; i < 30000 && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

}  // namespace

// Replaces the C library's, for the driver.
extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
  hang();
  return EAI_FAIL;
}

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  void* const plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) return std::cerr << dlerror() << '\n', 1;
  using Ask = int (*)(const char*, void (*)(), bool (*)());
  auto* const ask = reinterpret_cast<Ask>(dlsym(plugin, "ask"));
  if (ask == nullptr || ask(argv[2], hang, [] { return hanging > 0; }) != 0) return 2;
  if (dlclose(plugin) != 0) return 3;
  released = true;
  const std::string hangs = argv[2];
  // The store calls again when it is back. An allocator that is not destroyed keeps its threads.
  if (hangs != "resolver" && !wait_until([] { return hanging > 1; })) return 4;
  return hangs == "store_at_exit" || wait_until([] { return threads() == 1; }) ? 0 : 5;
}
