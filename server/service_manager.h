// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_SERVICE_MANAGER_H_
#define FEATHERID_SERVER_SERVICE_MANAGER_H_

#include <string>
#include <string_view>

namespace featherid {

// Tells systemd, or who speaks its protocol of readiness (sd_notify), what the server is about.
// Says nothing where nobody asked. Waits for a second at most.
class ServiceManager {
 public:
  // `socket`: the value of NOTIFY_SOCKET, a path or, after '@', a name without a file; may be null.
  explicit ServiceManager(const char* socket) : socket_(socket != nullptr ? socket : "") {}

  void ready() const;      // serving, and after reloading()
  void reloading() const;  // until ready()
  void stopping() const;

 private:
  void tell(std::string_view state) const;

  const std::string socket_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_SERVICE_MANAGER_H_
