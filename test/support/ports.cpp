// SPDX-License-Identifier: MIT
#include "test/support/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>

namespace featherid::test {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<in_port_t>(port));
  return address;
}

int new_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("cannot make a socket");
  return fd;
}

bool bind_to(int fd, int port) {
  const sockaddr_in address = loopback(port);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

bool can_bind(int port) {
  const int fd = new_socket();
  const bool bound = bind_to(fd, port);
  ::close(fd);
  return bound;
}

// Until this process ends, no other test gets the port: not before its server listens, and not
// while the server is down. A socket without a file, of this network namespace, stands for it.
bool reserve(int port) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("cannot make a socket");
  const std::string name = "featherid-test-port-" + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
  ::close(fd);
  return false;
}

}  // namespace

std::string with_port(std::string url, int port) {
  const std::size_t begin = url.rfind(':') + 1;
  return url.replace(begin, url.find('/', begin) - begin, std::to_string(port));
}

int free_port() {
  std::random_device random;
  // Below the ports for outgoing connections, which could take the place of a server that is down
  // for a while.
  std::uniform_int_distribution<int> any(10000, 32767);
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = any(random);
    if (reserve(port) && can_bind(port)) return port;
  }
  throw std::runtime_error("no port of 127.0.0.1 is free");
}

bool port_answers(int port, bool greets) {
  const int fd = connect_to(port);
  if (fd < 0) return false;
  const timeval second{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
  char byte = 0;
  const bool answers = !greets || ::recv(fd, &byte, 1, 0) == 1;
  ::close(fd);
  return answers;
}

int listen_on_free_port() {
  const int fd = new_socket();
  if (!bind_to(fd, 0) || ::listen(fd, 64) != 0) {
    throw std::runtime_error("cannot listen on a port of 127.0.0.1");
  }
  return fd;
}

int port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

int connect_to(int port, int receive_bytes, const char* address) {
  const int fd = new_socket();
  if (receive_bytes > 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
  }
  sockaddr_in peer = loopback(port);
  ::inet_pton(AF_INET, address, &peer.sin_addr);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) == 0) return fd;
  ::close(fd);
  return -1;
}

int must_connect_to(int port, int receive_bytes) {
  const int fd = connect_to(port, receive_bytes);
  if (fd < 0) throw std::runtime_error("cannot connect to port " + std::to_string(port));
  return fd;
}

UnreachablePort::UnreachablePort(const char* address, int port)
    : listener_(new_socket()), first_(new_socket()) {
  sockaddr_in own = loopback(port);
  ::inet_pton(AF_INET, address, &own.sin_addr);
  socklen_t size = sizeof(own);
  auto* const any = reinterpret_cast<sockaddr*>(&own);
  // If the backlog is full, the kernel drops the first packet of every new connection.
  if (::bind(listener_, any, size) != 0 || ::listen(listener_, 0) != 0 ||
      ::getsockname(listener_, any, &size) != 0 || ::connect(first_, any, size) != 0) {
    throw std::runtime_error("cannot make a port of " + std::string(address) + " unreachable");
  }
  port_ = ntohs(own.sin_port);
}

UnreachablePort::~UnreachablePort() {
  ::close(first_);
  ::close(listener_);
}

BlackHole::BlackHole() : socket_(listen_on_free_port()), port_(port_of(socket_)) {}

BlackHole::~BlackHole() { ::close(socket_); }

}  // namespace featherid::test
