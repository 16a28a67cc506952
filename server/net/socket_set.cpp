// SPDX-License-Identifier: MIT
#include "server/net/socket_set.h"

#include <cerrno>
#include <system_error>

namespace featherid {

namespace {

int make_epoll() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return epoll;
}

}  // namespace

SocketSet::SocketSet(asio::io_context& context) : epoll_(context, make_epoll()) { wait(); }

bool SocketSet::add(int socket, Member& member) {
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {}};
  event.data.ptr = &member;
  return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event) == 0;
}

void SocketSet::forget(const Member& member) {
  for (int i = next_; i < end_; ++i) {
    epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == &member) event.data.ptr = nullptr;
  }
}

void SocketSet::wait() {
  epoll_.async_wait(asio::posix::stream_descriptor::wait_read, [this](asio::error_code error) {
    if (error) return;  // the loop ends
    look();
    wait();
  });
}

void SocketSet::look() {
  end_ = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  for (next_ = 0; next_ < end_;) {
    const epoll_event event = events_[static_cast<std::size_t>(next_++)];
    if (event.data.ptr == nullptr) continue;
    static_cast<Member*>(event.data.ptr)
        ->on_ready((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
  }
}

}  // namespace featherid
