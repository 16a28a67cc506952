// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_HTTP_SERVERS_H_
#define FEATHERID_TEST_BENCH_HTTP_SERVERS_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/support/authority.h"
#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::bench {

// A server under load, on a free port of 127.0.0.1. The destructor ends it cleanly.
class HttpServerProcess {
 public:
  // `argv` makes it listen on `port`. Throws if it does not.
  HttpServerProcess(std::string name, const std::vector<std::string>& argv, int port,
                    const std::string& output_file);
  ~HttpServerProcess();

  const std::string& name() const { return name_; }
  int port() const { return port_; }

  void kill() { process_.stop(SIGKILL); }  // of use for a server of one process

  // The sum of all its processes.
  double cpu_seconds() const;
  double resident_mb() const;

 private:
  std::vector<pid_t> pids() const;

  std::string name_;
  int port_;
  test::ChildProcess process_;
};

// The certificate of a server that speaks TLS. Without one it does not.
using Certificate = std::optional<test::Authority::Issued>;

// The release build of featherid-server, with further `options`.
std::unique_ptr<HttpServerProcess> start_featherid(const test::ScratchDir& scratch,
                                                   const std::string& database,
                                                   const Certificate& certificate = {},
                                                   const std::vector<std::string>& options = {},
                                                   const std::string& name = "featherid");

// Creates the SQLite file `ids.db`, with large steps, and returns its URL. All ids of `order` have
// 13 digits, so that answers have one length. There are `more_tags` tags beside it, `tag0` and up.
std::string make_database(const test::ScratchDir& scratch, int more_tags = 0);

// nginx with two workers. It answers each target's path with the given body.
std::unique_ptr<HttpServerProcess> start_nginx(const test::ScratchDir& scratch,
                                               const std::map<std::string, std::string>& answers,
                                               const Certificate& certificate = {});

// redis-server with further `options`; without any, as its package has it. It keeps its files in
// `scratch`.
std::unique_ptr<HttpServerProcess> start_redis(const test::ScratchDir& scratch,
                                               const std::string& name,
                                               const std::vector<std::string>& options = {});

// cpp-httplib with its defaults: a pool with a thread for each connection.
std::unique_ptr<HttpServerProcess> start_httplib_pool(const test::ScratchDir& scratch, int threads);

// The body of one GET. Throws unless the status is 200.
std::string get(int port, const std::string& target);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_HTTP_SERVERS_H_
