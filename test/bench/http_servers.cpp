// SPDX-License-Identifier: MIT
#include "test/bench/http_servers.h"

#include <httplib.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/ports.h"
#include "test/support/raw_sql.h"
#include "test/support/wait_until.h"

namespace featherid::bench {

namespace {

// The field of /proc/PID/stat with this number, which must be above 2.
double stat_field(pid_t pid, int number) {
  const std::string text = test::read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(text.substr(text.rfind(')') + 2));  // from the third on
  double value = 0;
  std::string field;
  for (int i = 3; i <= number && fields >> field; ++i) {
    if (i == number) value = std::stod(field);
  }
  return value;
}

constexpr int kUserTicks = 14;
constexpr int kSystemTicks = 15;
constexpr int kResidentPages = 24;

void check(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

}  // namespace

HttpServerProcess::HttpServerProcess(std::string name, const std::vector<std::string>& argv,
                                     int port, const std::string& output_file)
    : name_(std::move(name)), port_(port), process_(argv, {output_file, "", {}}) {
  const bool ended_or_ready = test::wait_until(
      [this] { return process_.wait(std::chrono::milliseconds(0)) || test::port_answers(port_); });
  if (!ended_or_ready || process_.wait(std::chrono::milliseconds(0))) {
    throw std::runtime_error(name_ + " does not start: " + test::read_file(output_file));
  }
}

// Not killed at once, because nginx ends its workers only on a normal stop.
HttpServerProcess::~HttpServerProcess() { process_.stop(SIGTERM); }

std::vector<pid_t> HttpServerProcess::pids() const {
  const std::string pid = std::to_string(process_.pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  std::vector<pid_t> pids(std::istream_iterator<pid_t>(children), {});
  pids.push_back(process_.pid());
  return pids;
}

double HttpServerProcess::cpu_seconds() const {
  double ticks = 0;
  for (const pid_t pid : pids())
    ticks += stat_field(pid, kUserTicks) + stat_field(pid, kSystemTicks);
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double HttpServerProcess::resident_mb() const {
  double pages = 0;
  for (const pid_t pid : pids()) pages += stat_field(pid, kResidentPages);
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

std::string make_database(const test::ScratchDir& scratch, int more_tags) {
  constexpr std::int64_t kFirstIds = 1'000'000'000'000;
  constexpr std::int64_t kStep = 10'000'000;
  std::string url = "sqlite3:" + scratch.file("ids.db");
  Result<std::unique_ptr<Store>> store = open_soci_store(url);
  check(store.status());
  check(init_soci_schema(url));
  check((*store)->update("order", kStep));
  check((*store)->advance("order", kFirstIds));
  test::RawSql sql(url);
  sql.run("BEGIN");
  for (int i = 0; i < more_tags; ++i) test::insert_row(sql, {"tag" + std::to_string(i), 0, 1000});
  sql.run("COMMIT");
  return url;
}

std::unique_ptr<HttpServerProcess> start_featherid(const test::ScratchDir& scratch,
                                                   const std::string& database,
                                                   const Certificate& certificate,
                                                   const std::vector<std::string>& options,
                                                   const std::string& name) {
  const int port = test::free_port();
  std::vector<std::string> argv = {FEATHERID_SERVER_PROGRAM, "--listen",
                                   "127.0.0.1:" + std::to_string(port), "--database", database};
  argv.insert(argv.end(), options.begin(), options.end());
  if (certificate) {
    argv.insert(argv.end(),
                {"--tls-cert", certificate->cert_file, "--tls-key", certificate->key_file});
  }
  return std::make_unique<HttpServerProcess>(name, argv, port, scratch.file(name + ".out"));
}

std::unique_ptr<HttpServerProcess> start_nginx(const test::ScratchDir& scratch,
                                               const std::map<std::string, std::string>& answers,
                                               const Certificate& certificate) {
  const int port = test::free_port();
  const std::string config_file = scratch.file("nginx.conf");
  std::ofstream config(config_file);
  config << "daemon off;\n"
            "worker_processes 2;\n"
            "worker_rlimit_nofile 16384;\n"
            "error_log stderr error;\n"
            "pid nginx.pid;\n"
            "events { worker_connections 8192; }\n"
            "http {\n"
            "  access_log off;\n"
            "  keepalive_requests 1000000000;\n"
            "  default_type application/json;\n";
  for (const char* temporary : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    config << "  " << temporary << "_temp_path temp_" << temporary << ";\n";
  }
  config << "  server {\n    listen 127.0.0.1:" << port << " backlog=4096"
         << (certificate ? " ssl;\n" : ";\n");
  if (certificate) {
    config << "    ssl_protocols TLSv1.3;\n    ssl_certificate " << certificate->cert_file
           << ";\n    ssl_certificate_key " << certificate->key_file << ";\n";
  }
  for (const auto& [target, answer] : answers) {
    config << "    location = " << target.substr(0, target.find('?')) << " { return 200 '" << answer
           << "'; }\n";
  }
  config << "  }\n}\n";
  config.close();
  return std::make_unique<HttpServerProcess>(
      "nginx",
      std::vector<std::string>{"/usr/sbin/nginx", "-p", scratch.path().string(), "-e", "stderr",
                               "-c", config_file},
      port, scratch.file("nginx.out"));
}

std::unique_ptr<HttpServerProcess> start_redis(const test::ScratchDir& scratch,
                                               const std::string& name,
                                               const std::vector<std::string>& options) {
  const int port = test::free_port();
  std::vector<std::string> argv = {
      "redis-server",         "--bind", "127.0.0.1", "--port", std::to_string(port), "--dir",
      scratch.path().string()};
  argv.insert(argv.end(), options.begin(), options.end());
  return std::make_unique<HttpServerProcess>(name, argv, port, scratch.file(name + ".out"));
}

std::unique_ptr<HttpServerProcess> start_httplib_pool(const test::ScratchDir& scratch,
                                                      int threads) {
  const int port = test::free_port();
  return std::make_unique<HttpServerProcess>(
      "httplib_pool",
      std::vector<std::string>{FEATHERID_HTTPLIB_POOL_PROGRAM, std::to_string(port),
                               std::to_string(threads)},
      port, scratch.file("httplib_pool.out"));
}

std::string get(int port, const std::string& target) {
  httplib::Client client("127.0.0.1", port);
  const httplib::Result result = client.Get(target);
  if (!result || result->status != 200) {
    throw std::runtime_error(target + ": " + (result ? result->body : "no answer"));
  }
  return result->body;
}

}  // namespace featherid::bench
