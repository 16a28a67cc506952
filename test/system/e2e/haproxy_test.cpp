// SPDX-License-Identifier: MIT
// How a real HAProxy reads the server's answers to its health checks.
#include <httplib.h>

#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "test/support/catch.h"
#include "test/support/haproxy_server.h"
#include "test/support/ports.h"
#include "test/support/wait_until.h"
#include "test/system/e2e/server_process.h"

namespace featherid::test {

namespace {

// Lines of a backend that configure its health check.
using Checks = std::vector<std::pair<std::string, std::string>>;

const Checks kLivenessChecks = {
    {"plain", "option httpchk"},
    {"path_alone", "option httpchk /healthz"},  // by OPTIONS
    {"get", "option httpchk GET /healthz"},
    {"head", "option httpchk\n  http-check send meth HEAD uri /healthz"},
    {"host", "option httpchk\n  http-check send ver HTTP/1.1 hdr Host x"},
    {"head_and_host", "option httpchk\n  http-check send meth HEAD uri / ver HTTP/1.1 hdr Host x"},
    {"asterisk", "option httpchk OPTIONS *"},
    {"absolute", "option httpchk GET http://ids.example/healthz"},
};
const Checks kReadinessChecks = {
    {"ready_path_alone", "option httpchk /readyz"},
    {"ready_get", "option httpchk GET /readyz"},
    {"ready_head", "option httpchk HEAD /readyz"},
};

// An HAProxy with one backend for each check, all for the same server.
class Haproxy {
 public:
  explicit Haproxy(int server_port)
      : haproxy_("http", "  stats enable\n  stats uri /\n", backends(server_port)) {}

  // The result of a check, such as "UP L7OK 200".
  std::string verdict(const std::string& backend) const {
    httplib::Client client("127.0.0.1", haproxy_.port());
    client.set_url_encode(false);  // the semicolon means something to HAProxy
    const auto answer = client.Get("/;csv");
    if (!answer) return "";
    std::istringstream lines(answer->body);
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream cells(line);
      std::map<std::string, std::string> row;
      std::size_t column = 0;
      for (std::string cell; std::getline(cells, cell, ','); ++column) {
        if (column == names.size()) names.push_back(cell);  // the first line has the names
        row[names[column]] = cell;
      }
      if (row["# pxname"] != backend || row["svname"] != "ids") continue;
      return row["status"] + " " + row["check_status"] + " " + row["check_code"];
    }
    return "";
  }

 private:
  static std::string backends(int server_port) {
    std::string sections;
    for (const Checks& checks : {kLivenessChecks, kReadinessChecks}) {
      for (const auto& [name, lines] : checks) {
        sections += "backend " + name + "\n  " + lines +
                    "\n  server ids 127.0.0.1:" + std::to_string(server_port) +
                    " check inter 50ms rise 1 fall 1\n";
      }
    }
    return sections;
  }

  const HaproxyServer haproxy_;
};

void check_verdicts(const Haproxy& haproxy, const Checks& checks, const std::string& wanted) {
  for (const auto& [name, lines] : checks) {
    std::string verdict;
    const bool found =
        wait_until([&, &backend = name] { return (verdict = haproxy.verdict(backend)) == wanted; });
    CAPTURE(lines, verdict);
    CHECK(found);
  }
}

}  // namespace

TEST_CASE("HAProxy reports a server that serves as up, whatever its check", "[e2e][haproxy]") {
  const ScratchDir scratch;
  const ServerProcess server(scratch);
  const Haproxy haproxy(server.port());
  check_verdicts(haproxy, kLivenessChecks, "UP L7OK 200");
  check_verdicts(haproxy, kReadinessChecks, "UP L7OK 200");
  CHECK(server.id() == 1);  // no check has used up an id
}

TEST_CASE("HAProxy reports a server without its database as down, if it checks that",
          "[e2e][haproxy]") {
  const ScratchDir scratch;
  const ServerProcess server(
      scratch, {"--database", "mysql://ids@127.0.0.1:" + std::to_string(free_port()) + "/ids"});
  const Haproxy haproxy(server.port());
  check_verdicts(haproxy, kReadinessChecks, "DOWN L7STS 503");
  check_verdicts(haproxy, kLivenessChecks, "UP L7OK 200");
}

}  // namespace featherid::test
