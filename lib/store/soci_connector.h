// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_CONNECTOR_H_
#define FEATHERID_LIB_STORE_SOCI_CONNECTOR_H_

#include <functional>
#include <memory>

#include "lib/clock.h"
#include "lib/store/soci_session.h"

namespace featherid {

// Opens the sessions of one address within a time of the caller's, each on a thread of its own: no
// driver lets itself be interrupted while it waits for the resolver, or for one after the other of
// the addresses that a name may have. Who waits leaves in time; the attempt goes on without him,
// and the session that it may yet give is kept for whoever asks next. Thread-safe.
//
// Threads of attempts may outlive it: each owns a share of all that it touches, and the code stays
// loaded (lib/stay_loaded.h).
class SociConnector {
 public:
  using Open = std::function<std::unique_ptr<SociSession>()>;

  // So many attempts at a time: as long as they all hang, further callers wait for them.
  explicit SociConnector(int attempts_max);
  // Leaves the threads behind whose attempt is still under way.
  ~SociConnector();
  SociConnector(const SociConnector&) = delete;
  SociConnector& operator=(const SociConnector&) = delete;

  // A session, by `open` or from an earlier attempt; null when none has come by `deadline`. Throws
  // what `open` threw, and soci_error when the machine gives no thread.
  std::unique_ptr<SociSession> connect(const Open& open, TimePoint deadline);

  // Closes the sessions that came when nobody waited any more.
  void drop();

  // Whether any connector of this process has left a thread behind.
  static bool left_threads_behind();

 private:
  struct State;

  const int attempts_max_;
  const std::shared_ptr<State> state_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_CONNECTOR_H_
