// SPDX-License-Identifier: MIT
#include "test/support/private_network.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

constexpr char kOuter[] = "10.77.0.";
constexpr char kInner[] = "10.78.0.";

void write(const char* file, const std::string& text) {
  if (std::ofstream(file) << text << std::flush) return;
  throw std::runtime_error("SKIPPED: cannot write " + std::string(file));
}

void leave_the_machines_network() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    throw std::runtime_error(
        "SKIPPED: this machine allows no user and network namespaces: unshare: " +
        std::string(std::strerror(errno)));
  }
  write("/proc/self/uid_map", "0 " + user + " 1");
  write("/proc/self/setgroups", "deny");
  write("/proc/self/gid_map", "0 " + group + " 1");
}

std::string link_of(std::size_t host, const char* network) {
  return network + std::to_string(host + 1);
}

std::string namespace_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/ns/net"; }

}  // namespace

PrivateNetwork::PrivateNetwork(std::size_t hosts) {
  static const bool kLeft = (leave_the_machines_network(), true);
  static_cast<void>(kLeft);
  const std::string commands = scratch_.file("switches");
  std::ofstream(commands) << "link set lo up\n"
                          << "link add outer type bridge\n"
                          << "link add inner type bridge\n"
                          << "address add " << kOuter << "254/24 dev outer\n"
                          << "link set outer up\n"
                          << "link set inner up\n";
  run({"ip", "-batch", commands});
  for (std::size_t host = 0; host < hosts; ++host) add_host(host);
}

void PrivateNetwork::add_host(std::size_t host) {
  const std::string own = std::filesystem::read_symlink("/proc/self/ns/net");
  const ChildProcess& keeper =
      hosts_.emplace_back(std::vector<std::string>{"unshare", "--net", "sleep", "infinity"});
  const std::string pid = std::to_string(keeper.pid());
  if (!wait_until(
          [&] { return std::filesystem::read_symlink(namespace_of(keeper.pid())) != own; })) {
    throw std::runtime_error("a host did not get a network namespace");
  }
  const std::string commands = scratch_.file("cables");
  std::ofstream(commands) << "link add " << link_of(host, "outer") << " type veth peer name outer "
                          << "netns " << pid << "\n"
                          << "link set " << link_of(host, "outer") << " master outer up\n"
                          << "link add " << link_of(host, "inner") << " type veth peer name inner "
                          << "netns " << pid << "\n"
                          << "link set " << link_of(host, "inner") << " master inner up\n";
  run({"ip", "-batch", commands});
  std::ofstream(commands) << "link set lo up\n"
                          << "address add " << address(host) << "/24 dev outer\n"
                          << "address add " << inner_address(host) << "/24 dev inner\n"
                          << "link set outer up\n"
                          << "link set inner up\n";
  run(on(host, {"ip", "-batch", commands}));
}

std::string PrivateNetwork::address(std::size_t host) { return kOuter + std::to_string(host + 1); }

std::string PrivateNetwork::inner_address(std::size_t host) {
  return kInner + std::to_string(host + 1);
}

std::vector<std::string> PrivateNetwork::on(std::size_t host,
                                            const std::vector<std::string>& argv) const {
  std::vector<std::string> command = {"nsenter", "--net=" + namespace_of(hosts_[host].pid())};
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

void PrivateNetwork::set_connected(std::size_t host, bool connected) {
  run({"ip", "link", "set", link_of(host, "inner"), connected ? "up" : "down"});
}

}  // namespace featherid::test
