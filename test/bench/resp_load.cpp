// SPDX-License-Identifier: MIT
#include "test/bench/resp_load.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "test/support/ports.h"

namespace featherid::bench {

namespace {

using Clock = std::chrono::steady_clock;

// One thread of the driver: its connections, each of which asks again once all is answered.
class Driver {
 public:
  Driver(int port, const RespLoad& load, int connections)
      : load_(load), epoll_(::epoll_create1(0)) {
    for (int i = 0; i < load.depth; ++i) request_ += "*2\r\n$4\r\nINCR\r\n$5\r\norder\r\n";
    connections_.resize(static_cast<std::size_t>(connections));
    for (Connection& connection : connections_) {
      connection.socket = test::must_connect_to(port);
      const int on = 1;
      ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::fcntl(connection.socket, F_SETFL, O_NONBLOCK);
      epoll_event event{EPOLLIN, {}};
      event.data.ptr = &connection;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event);
    }
  }
  ~Driver() {
    for (const Connection& connection : connections_) ::close(connection.socket);
    ::close(epoll_);
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void run() {
    const Clock::time_point begin = Clock::now();
    const Clock::time_point end = begin + load_.duration;
    now_ = begin;
    for (Connection& connection : connections_) send(connection);
    epoll_event events[64];
    while (now_ < end) {
      const int count = ::epoll_wait(epoll_, events, 64, 1000);
      if (count == 0) throw std::runtime_error("the server does not answer");
      now_ = Clock::now();
      for (int i = 0; i < count; ++i) receive(*static_cast<Connection*>(events[i].data.ptr));
    }
    report_.seconds = std::chrono::duration<double>(now_ - begin).count();
  }

  const RespReport& report() const { return report_; }

 private:
  struct Connection {
    int socket = -1;
    int missing = 0;  // answers
    Clock::time_point sent;
  };

  void send(Connection& connection) {
    connection.missing = load_.depth;
    connection.sent = now_;
    const ssize_t sent = ::send(connection.socket, request_.data(), request_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request_.size())) throw std::runtime_error("cannot send");
  }

  void receive(Connection& connection) {
    const ssize_t size = ::recv(connection.socket, buffer_, sizeof buffer_, 0);
    if (size <= 0) throw std::runtime_error("the server has closed a connection");
    // Two passes that the compiler turns into vector instructions. An id has no minus sign, and an
    // error begins with one.
    connection.missing -= static_cast<int>(std::count(buffer_, buffer_ + size, '\n'));
    report_.errors += static_cast<double>(std::count(buffer_, buffer_ + size, '-'));
    if (connection.missing > 0) return;
    report_.commands += load_.depth;
    report_.latencies.add(std::chrono::nanoseconds(now_ - connection.sent).count());
    send(connection);
  }

  const RespLoad load_;
  const int epoll_;
  std::string request_;
  std::vector<Connection> connections_;
  RespReport report_;
  Clock::time_point now_;  // of the last events: one look at the clock for all of them
  char buffer_[16 * 1024];
};

}  // namespace

RespReport drive_resp(int port, const RespLoad& load) {
  std::vector<std::unique_ptr<Driver>> drivers;
  const int threads = std::min(load.threads, load.connections);
  for (int i = 0; i < threads; ++i) {
    drivers.push_back(std::make_unique<Driver>(port, load, load.connections / threads));
  }
  std::vector<std::thread> running;
  std::vector<std::exception_ptr> failures(drivers.size());
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    running.emplace_back([&driver = *drivers[i], &failure = failures[i]] {
      try {
        driver.run();
      } catch (...) {
        failure = std::current_exception();
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  RespReport sum;
  for (const auto& driver : drivers) {
    const RespReport& part = driver->report();
    sum.commands += part.commands;
    sum.errors += part.errors;
    sum.seconds = std::max(sum.seconds, part.seconds);
    sum.latencies.add(part.latencies);
  }
  return sum;
}

}  // namespace featherid::bench
