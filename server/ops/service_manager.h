// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_OPS_SERVICE_MANAGER_H_
#define FEATHERID_SERVER_OPS_SERVICE_MANAGER_H_

#include <string>
#include <string_view>

namespace featherid {

// Notifies systemd, or another manager that speaks its readiness protocol (sd_notify), of the
// server's state. Does nothing without a socket. Waits for one second at most.
class ServiceManager {
 public:
  // `socket`: the value of NOTIFY_SOCKET: a path, or an abstract name after '@'. May be null.
  explicit ServiceManager(const char* socket) : socket_(socket != nullptr ? socket : "") {}

  void ready() const;      // the server serves; also ends reloading()
  void reloading() const;  // until ready()
  void stopping() const;

 private:
  void tell(std::string_view state) const;

  const std::string socket_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_OPS_SERVICE_MANAGER_H_
