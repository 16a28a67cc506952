// SPDX-License-Identifier: MIT
#include <featherid/etcd_store.h>

#include <iostream>

// Nobody listens on this port.
int main() {
  featherid::EtcdStoreOptions options;
  options.call_timeout = std::chrono::milliseconds(500);
  options.connect_timeout = std::chrono::milliseconds(500);
  auto store = featherid::open_etcd_store("etcd://127.0.0.1:1/ids", options);
  if (!store.ok()) {
    std::cerr << store.status().to_string() << '\n';
    return 1;
  }
  const featherid::Status status = (*store)->probe();
  std::cout << status.to_string() << '\n';
  return status.code() == featherid::StatusCode::kUnavailable ? 0 : 1;
}
