// SPDX-License-Identifier: MIT
#include "test/support/scripted_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <utility>

#include "test/support/ports.h"

namespace featherid::test {

ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), listener_(listen_on_free_port()), port_(port_of(listener_)) {
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  stopping_ = true;
  acceptor_.join();
  for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  for (std::thread& connection : connections_) connection.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

std::vector<std::string> ScriptedServer::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

std::string ScriptedServer::answer(int status, int code, const std::string& data) {
  const std::string body = R"({"code":)" + std::to_string(code) +
                           R"(,"msg":"the server's words",)" + R"("data":)" + data + "}";
  return "HTTP/1.1 " + std::to_string(status) + " Some\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string ScriptedServer::parameter(const std::string& request, const std::string& name) {
  const std::string line = request.substr(0, request.find("\r\n"));
  std::size_t at = line.find("?" + name + "=");
  if (at == std::string::npos) at = line.find("&" + name + "=");
  if (at == std::string::npos) return "";
  at += name.size() + 2;
  return line.substr(at, line.find_first_of("& ", at) - at);
}

std::string ScriptedServer::answer_lease(const std::string& request, const std::string& members) {
  return answer(200, 0, "{" + members + R"(,"nonce":")" + parameter(request, "nonce") + "\"}");
}

namespace {

std::size_t body_bytes(const std::string& head) {
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t at = head.find(kLength);
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + kLength.size()));
}

}  // namespace

void ScriptedServer::accept_all() {
  constexpr int kPollMs = 5;
  while (!stopping_) {
    pollfd polled{listener_, POLLIN, 0};
    if (::poll(&polled, 1, kPollMs) <= 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    ++accepted_;
    sockets_.push_back(socket);
    connections_.emplace_back([this, socket] { serve(socket); });
  }
}

// The socket is closed at the end only, so that its number is not used again meanwhile.
void ScriptedServer::serve(int socket) {
  std::string received;
  for (;;) {
    const std::size_t head = received.find("\r\n\r\n");
    const std::size_t end =
        head == std::string::npos ? head : head + body_bytes(received.substr(0, head));
    if (end == std::string::npos || received.size() < end + 4) {
      char bytes[4096];
      const ssize_t got = ::recv(socket, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      received.append(bytes, static_cast<std::size_t>(got));
      continue;
    }
    const std::string request = received.substr(0, end + 4);
    received.erase(0, end + 4);
    std::string reply;
    if (request.rfind("GET /healthz ", 0) == 0) {
      reply = answer(200, 0, "\"ok\"");
    } else {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        requests_.push_back(request.substr(0, request.find("\r\n")));
      }
      reply = script_(request);
    }
    if (reply.empty()) break;
    ::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL);
  }
  ::shutdown(socket, SHUT_RDWR);
}

}  // namespace featherid::test
