// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_CONNECTOR_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_CONNECTOR_H_

#include <functional>
#include <memory>

#include "lib/base/clock.h"
#include "lib/store/soci/soci_session.h"

namespace featherid {

// Opens the sessions of one address by the caller's deadline, each on its own thread: no driver can
// be interrupted while it waits for the resolver, or tries the addresses of a name in turn. The
// caller returns in time. The attempt continues without it, and a session that arrives later is
// kept for the next caller. Thread-safe.
//
// Threads of attempts may outlive it: each owns a share of everything that it uses, and the code
// stays loaded (lib/base/stay_loaded.h).
class SociConnector {
 public:
  using Open = std::function<std::unique_ptr<SociSession>()>;

  // At most this many attempts at a time. While they all hang, further callers wait for them.
  explicit SociConnector(int attempts_max);
  // Leaves the threads behind whose attempt is still running.
  ~SociConnector();
  SociConnector(const SociConnector&) = delete;
  SociConnector& operator=(const SociConnector&) = delete;

  // A session, by `open` or from an earlier attempt; null if none has arrived by `deadline`. Throws
  // what `open` threw, and soci_error if no thread can be started.
  std::unique_ptr<SociSession> connect(const Open& open, TimePoint deadline);

  // Closes the sessions that arrived when nobody was waiting any more.
  void drop();

  // Whether any connector of this process has left a thread behind.
  static bool left_threads_behind();

 private:
  struct State;

  const int attempts_max_;
  const std::shared_ptr<State> state_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_CONNECTOR_H_
