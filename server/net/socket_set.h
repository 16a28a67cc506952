// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_SOCKET_SET_H_
#define FEATHERID_SERVER_NET_SOCKET_SET_H_

#include <sys/epoll.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace featherid {

// The sockets of one event loop's connections, in an epoll set of their own. Asio waits for the set
// as for one descriptor. Asio's own sockets would cost a second recv() for each request: Asio tries
// to read before it waits, and mostly finds nothing. Used by the loop's thread only.
class SocketSet {
 public:
  class Member {
   public:
    // Something has happened since the last call (edge-triggered): bytes came, there is room to
    // write, or the connection has ended. `ended`: the peer sends no more bytes.
    virtual void on_ready(bool ended) = 0;

   protected:
    ~Member() = default;
  };

  // Throws std::system_error if the system gives no descriptor.
  explicit SocketSet(asio::io_context& context);

  // False: the system refuses. A member leaves the set when it closes its socket. Before that, it
  // must call forget(), because look() may still hold an event for it.
  bool add(int socket, Member& member);
  void forget(const Member& member);

  // Tells members now what has happened. The loop does that by itself as soon as its turn comes.
  void look();

 private:
  void wait();

  asio::posix::stream_descriptor epoll_;
  std::array<epoll_event, 256> events_;
  int next_ = 0;  // of events_
  int end_ = 0;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_SOCKET_SET_H_
