// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_CLIENT_HOST_RESOLVER_H_
#define FEATHERID_LIB_STORE_HTTP_CLIENT_HOST_RESOLVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "featherid/status.h"
#include "lib/base/clock.h"

namespace featherid {

// Looks up the addresses of a host within a time limit, which the system's resolver does not have:
// it runs on a thread of its own, at most one for each resolver. A caller whose time is over leaves
// that thread behind; a later caller gets what it found. Thread-safe.
class HostResolver {
 public:
  // As text, such as "192.0.2.1"; empty: there are none. Blocks.
  using LookUp = std::function<std::vector<std::string>(const std::string& host)>;

  explicit HostResolver(std::string host, LookUp look_up = system_look_up);

  // At least one. kUnavailable: there are none, or not in time.
  Result<std::vector<std::string>> resolve(TimePoint deadline);

  static std::vector<std::string> system_look_up(const std::string& host);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_CLIENT_HOST_RESOLVER_H_
