// SPDX-License-Identifier: MIT
#include "server/ops/service_manager.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

namespace featherid {

void ServiceManager::ready() const { tell("READY=1"); }

void ServiceManager::stopping() const { tell("STOPPING=1"); }

void ServiceManager::reloading() const {
  // The time distinguishes this reload from earlier ones. Linux' steady_clock is CLOCK_MONOTONIC.
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  tell("RELOADING=1\nMONOTONIC_USEC=" +
       std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

// The whole protocol is one datagram, which does not justify a library.
void ServiceManager::tell(std::string_view state) const {
  if (socket_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof address.sun_path) {
    return spdlog::warn("NOTIFY_SOCKET is too long: {}", socket_);
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  // An abstract name ends with the address. A path may be passed without its terminating zero.
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());

  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const timeval second{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  if (::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    spdlog::warn("cannot notify the service manager at {}: {}", socket_, std::strerror(errno));
  }
  if (fd >= 0) ::close(fd);
}

}  // namespace featherid
