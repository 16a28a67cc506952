// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_SCALE_BACKEND_H_
#define FEATHERID_TEST_PROOF_SIM_SCALE_BACKEND_H_

#include <cstdint>
#include <deque>
#include <vector>

namespace featherid::sim {

// Seconds since the start of a run.
using Seconds = double;

// What the processes of a run lease from, and how fast it is.
struct BackendOptions {
  double leases_per_second_max = 3000;  // of the database
  Seconds round_trip = 0.001;
  Seconds call_timeout = 5;   // of a process
  bool drops_late = true;     // the database gives up a statement when its caller does
  int connections_max = 0;    // of the database, without servers; 0: as many as come
  int servers = 0;            // between the processes and the database; 0: none
  int server_calls = 4;       // leases that a server makes at once
  int server_waiting = 1000;  // calls that wait in a server
  Seconds request_timeout = 2;
};

// When a call is answered, and whether by a lease.
struct Answer {
  Seconds at = 0;
  bool ok = false;
};

// The database, and the servers in front of it: first come, first served. The answer to a call is
// known when it comes, so this is arithmetic without threads, for a real allocator and a model
// alike.
//
// A server drops a call whose time is over (server/api/lease_routes.cpp). So does a database, as
// its statement timeouts say, unless `drops_late` is off.
class Backend {
 public:
  explicit Backend(const BackendOptions& options);

  // A call for a lease. Calls must come in the order of their times.
  Answer lease(Seconds now);

  std::int64_t refused() const { return refused_; }       // at once
  std::int64_t timed_out() const { return timed_out_; }   // after a wait
  int under_way_most() const { return under_way_most_; }  // calls in the database and in servers

 private:
  // Calls that wait for one of a few places, or are served.
  struct Line {
    Seconds free_at = 0;        // when what has come is done
    std::deque<Seconds> leave;  // when each call leaves, in order

    int length(Seconds now);
  };

  Answer ask_database(Seconds now);
  Answer ask_servers(Seconds now);
  Answer refuse(Seconds now);

  const BackendOptions options_;
  std::vector<Line> lines_;  // of the database, or of each server
  std::size_t next_server_ = 0;
  std::int64_t refused_ = 0;
  std::int64_t timed_out_ = 0;
  int under_way_most_ = 0;
};

}  // namespace featherid::sim

#endif  // FEATHERID_TEST_PROOF_SIM_SCALE_BACKEND_H_
