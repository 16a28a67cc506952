// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PEER_H_
#define FEATHERID_TEST_BENCH_PEER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace featherid::bench {

constexpr std::int64_t kRefused = 0;  // instead of an id

// A client's connection to a server that hands out one id at a time. Everything throws if the
// connection breaks.
class RemoteClient {
 public:
  virtual ~RemoteClient() = default;
  virtual int socket() const = 0;
  // Asks for an id. True if answer() need not wait for the socket.
  virtual bool ask() = 0;
  // The id, kRefused, or nothing if the answer is not complete. Never waits.
  virtual std::optional<std::int64_t> answer() = 0;
};

// One thread's ids, made in this process.
class LocalClient {
 public:
  virtual ~LocalClient() = default;
  // Takes `count` ids one by one, and returns the last, or kRefused if one does not come.
  virtual std::int64_t take(int count) = 0;
};
using LocalFactory = std::function<std::unique_ptr<LocalClient>()>;

// A process that a peer requires.
struct Part {
  std::string name;             // "server" or "database"
  std::function<void()> kill;   // kill -9; returns once it is gone
  std::function<void()> start;  // returns once it answers again
};

// A way to get ids that is compared with the others.
struct Peer {
  std::string name;
  std::string what;  // in words, for the tables
  // Exactly one of these two: a client of a server, or the arguments of open_local().
  std::function<std::unique_ptr<RemoteClient>()> connect;
  std::vector<std::string> local = {};
  int batch =
      1;  // local: calls for each one that is timed, because the clock costs more than an id
  std::vector<Part> parts = {};
  int clients_max = 1000;  // what it can be asked to serve here
  bool counts = true;      // ids count up, so those that are missing can be counted
  bool leases = false;     // after t seconds of load it lives through about t without its database
  bool same_outage =
      false;  // as the peer before: it differs in what it keeps, not in what stops it
};

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PEER_H_
