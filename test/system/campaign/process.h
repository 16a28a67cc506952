// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_PROCESS_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "test/system/campaign/note.h"

namespace featherid::campaign {

// A process of FeatherID together with the threads that ask it for ids. Only the campaign's main
// thread calls the methods, because what it starts dies with that thread.
class Process {
 public:
  explicit Process(std::string name) : name_(std::move(name)) {}
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& name() const { return name_; }  // "server-0"
  virtual bool is_server() const = 0;
  const char* kind() const { return is_server() ? "a server" : "an embedding process"; }

  virtual void start() = 0;         // begins a life: the first one, or the next after end()
  virtual int end(int signal) = 0;  // ends it; the exit code
  virtual void end_asking() = 0;    // for good
  virtual pid_t pid() = 0;
  virtual bool died() = 0;  // without an end()
  // What it answered last when it was asked for its own tag in this life.
  enum class OwnTag {
    kServed,
    kStopped,  // because the database went backwards
    kFailed,   // for another reason, or it was not asked yet
  };
  virtual OwnTag own_tag() = 0;
  // When the thread with the longest wait got its last ids.
  virtual std::int64_t all_served_us() = 0;
  // When the tag with the longest wait got its last ids, on any thread. 0: one never did.
  virtual std::int64_t tags_served_us() = 0;

  // All notes of its threads, each thread's in order. Call it after end_asking() and end().
  virtual std::vector<Note> notes() = 0;
  // Its last output, for a report.
  virtual std::string output() = 0;

 private:
  const std::string name_;
};

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_PROCESS_H_
