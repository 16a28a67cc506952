// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PORTS_H_
#define FEATHERID_TEST_SUPPORT_PORTS_H_

#include <string>

namespace featherid::test {

// The same database at another port, such as a forwarder's. `url` names a port.
std::string with_port(std::string url, int port);

// A TCP port of 127.0.0.1 that nobody listens on. No other call returns it while this process
// lives, in whatever test.
int free_port();

// True if something accepts connections on the port of 127.0.0.1 and, with `greets`, sends a byte.
bool port_answers(int port, bool greets = false);

// A socket that listens on a free port of 127.0.0.1; the caller closes it.
int listen_on_free_port();
int port_of(int socket);

// A connection to the port of `address`, which the caller closes, or -1. `receive_bytes`: the size
// of the kernel's receive buffer; 0: the default.
int connect_to(int port, int receive_bytes = 0, const char* address = "127.0.0.1");
// The same, but throws instead of -1.
int must_connect_to(int port, int receive_bytes = 0);

// A port that neither accepts nor refuses connections, as if the packets were lost.
class UnreachablePort {
 public:
  // On a free port, or on `port`, of a loopback address.
  explicit UnreachablePort(const char* address, int port = 0);
  ~UnreachablePort();
  UnreachablePort(const UnreachablePort&) = delete;
  UnreachablePort& operator=(const UnreachablePort&) = delete;

  int port() const { return port_; }

 private:
  int listener_;
  int port_;
  int first_;  // the connection that fills the backlog
};

// A port that accepts connections and never sends anything.
class BlackHole {
 public:
  BlackHole();
  ~BlackHole();
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;

  int port() const { return port_; }

 private:
  int socket_;
  int port_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_PORTS_H_
