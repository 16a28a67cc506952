// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_HOSTILE_FIRST_PROCESS_H_
#define FEATHERID_TEST_SYSTEM_HOSTILE_FIRST_PROCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "featherid/id_range.h"
#include "featherid/status.h"
#include "test/system/hostile/matrix.h"

namespace featherid::test {

constexpr std::int64_t kSkippedIds = 1000000;
constexpr std::int64_t kAdvancedTo = 10 * kSkippedIds;
constexpr std::int64_t kCreatedStep = 77;
constexpr std::int64_t kStepSet = 55;

// The tag of each operation. It is not ASCII, so that a hostile character set shows.
std::string tag_of(Operation operation);
constexpr char kFirstTag[] = "first";

// The result of an operation in process 1.
struct Told {
  Operation operation;
  std::string tag;
  Status status;
  IdRange taken;  // the ids that it may have handed out
};

// Process 1: a child made by fork(), with a store of its own.
class FirstProcess {
 public:
  // If the cell's setting comes after a lease, it leases once and then waits for go().
  FirstProcess(const Cell& cell, const std::string& url, const std::string& bare_url);
  ~FirstProcess();  // kill -9
  FirstProcess(const FirstProcess&) = delete;
  FirstProcess& operator=(const FirstProcess&) = delete;

  Told first_lease();
  void go() const;
  // All operations, after it has done them. The process lives on.
  std::vector<Told> operations();
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::string read_line();
  // Nothing if it has done all.
  std::optional<Told> read_told();

  int from_child_ = -1;
  int to_child_ = -1;
  pid_t pid_ = -1;
  std::string unread_;
  std::vector<std::string> warnings_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_HOSTILE_FIRST_PROCESS_H_
