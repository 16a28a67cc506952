// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_CAMPAIGN_PROCESS_H_
#define FEATHERID_TEST_CAMPAIGN_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "test/campaign/note.h"

namespace featherid::campaign {

// A process of FeatherID together with the threads that ask it for ids. All methods are of the
// campaign's main thread: what it starts dies with that.
class Process {
 public:
  explicit Process(std::string name) : name_(std::move(name)) {}
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& name() const { return name_; }  // "server-0"
  virtual bool is_server() const = 0;
  const char* kind() const { return is_server() ? "a server" : "an embedding process"; }

  virtual void start() = 0;         // begins a life; the first one, or after end()
  virtual int end(int signal) = 0;  // ends it; the exit code
  virtual void end_asking() = 0;    // for good
  virtual pid_t pid() = 0;
  virtual bool died() = 0;  // though nobody ended it
  // Whether it has handed out an id of its own tag in this life.
  virtual bool own_tag_served() = 0;
  // Whether its own tag has been refused in this life for a database that went backwards.
  virtual bool own_tag_stopped() = 0;
  // When the thread that has waited longest got its last ids.
  virtual std::int64_t all_served_us() = 0;

  // All that its threads wrote down, each thread's notes in its own order; after end_asking() and
  // end().
  virtual std::vector<Note> notes() = 0;
  // Its last words, for a report.
  virtual std::string output() = 0;

 private:
  const std::string name_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_CAMPAIGN_PROCESS_H_
