// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_HTTP_SERVERS_H_
#define FEATHERID_TEST_BENCH_HTTP_SERVERS_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::bench {

// A server under load, on a free port of 127.0.0.1. It ends, in order, with this object.
class HttpServerProcess {
 public:
  // `argv` makes it listen on `port`. Throws when it does not.
  HttpServerProcess(std::string name, const std::vector<std::string>& argv, int port,
                    const std::string& output_file);
  ~HttpServerProcess();

  const std::string& name() const { return name_; }
  int port() const { return port_; }

  // Of all its processes.
  double cpu_seconds() const;
  double resident_mb() const;

 private:
  std::vector<pid_t> pids() const;

  std::string name_;
  int port_;
  test::ChildProcess process_;
};

// featherid-server as it is released, with the flags that are given besides.
std::unique_ptr<HttpServerProcess> start_featherid(const test::ScratchDir& scratch,
                                                   const std::string& database);

// Makes the SQLite file `ids.db`, with steps that spare the store, and says its URL. Its ids have
// 13 digits, all of them, so that answers have one length.
std::string make_database(const test::ScratchDir& scratch);

// nginx with two workers, which answers each target's path by what is given for it.
std::unique_ptr<HttpServerProcess> start_nginx(const test::ScratchDir& scratch,
                                               const std::map<std::string, std::string>& answers);

// cpp-httplib as it comes: a pool with a thread for each connection.
std::unique_ptr<HttpServerProcess> start_httplib_pool(const test::ScratchDir& scratch, int threads);

// One GET: its body; throws unless the status is 200.
std::string get(int port, const std::string& target);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_HTTP_SERVERS_H_
