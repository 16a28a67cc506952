// SPDX-License-Identifier: MIT
#include <featherid/http_store.h>

#include <iostream>

// Nobody listens on this port.
int main() {
  featherid::HttpStoreOptions options;
  options.call_timeout = std::chrono::milliseconds(500);
  options.connect_timeout = std::chrono::milliseconds(500);
  auto store = featherid::open_http_store("http://127.0.0.1:1", options);
  if (!store.ok()) {
    std::cerr << store.status().to_string() << '\n';
    return 1;
  }
  const featherid::Status status = (*store)->probe();
  std::cout << status.to_string() << '\n';
  return status.code() == featherid::StatusCode::kUnavailable ? 0 : 1;
}
