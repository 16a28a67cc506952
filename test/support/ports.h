// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_PORTS_H_
#define FEATHERID_TEST_SUPPORT_PORTS_H_

#include <string>

namespace featherid::test {

// The same database, at another port: that of a forwarder, say. `url` names a port.
std::string with_port(std::string url, int port);

// A TCP port of 127.0.0.1 that nobody listens on just now, and that was not given before.
int free_port();

// True when something accepts connections on the port of 127.0.0.1 and, with `greets`, sends a
// byte.
bool port_answers(int port, bool greets = false);

// A socket that listens on a free port of 127.0.0.1; the caller closes it.
int listen_on_free_port();
int port_of(int socket);

// A connection to the port of `address`, which the caller closes; -1 when there is none.
// `receive_bytes`: how much the kernel takes for it before it is read; 0: as is.
int connect_to(int port, int receive_bytes = 0, const char* address = "127.0.0.1");
// The same; throws when there is none.
int must_connect_to(int port, int receive_bytes = 0);

// A port that neither takes nor refuses connections, as if the packets were lost on the way.
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

// A port that takes connections and never says a word.
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
