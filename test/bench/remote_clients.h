// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_REMOTE_CLIENTS_H_
#define FEATHERID_TEST_BENCH_REMOTE_CLIENTS_H_

#include <memory>
#include <string>

#include "test/bench/peer.h"

namespace featherid::bench {

// `INCR key` of a server of the Redis protocol on 127.0.0.1.
std::unique_ptr<RemoteClient> connect_redis(int port, const std::string& key);

// GET of an address `http://host:port/path`. The id is the number after `"data":` in the body, or
// else the first number.
std::unique_ptr<RemoteClient> connect_http(const std::string& url);

// A session that runs `statement` again and again, prepared. `url` as libpq reads it.
std::unique_ptr<RemoteClient> connect_postgresql(const std::string& url,
                                                 const std::string& statement);

// A session that runs `statement` again and again, as text, with MariaDB's non-blocking calls.
std::unique_ptr<RemoteClient> connect_mariadb(int port, const std::string& user,
                                              const std::string& password,
                                              const std::string& statement);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_REMOTE_CLIENTS_H_
