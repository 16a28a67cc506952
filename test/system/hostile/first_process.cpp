// SPDX-License-Identifier: MIT
#include "test/system/hostile/first_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace featherid::test {

namespace {

constexpr std::int64_t kLeased = 10;
constexpr char kWarning = 'w';
constexpr char kOperation = 'o';
constexpr char kEnd = 'e';

// The child's half: it runs the cell's operations and reports each to the parent in one line.
class Child {
 public:
  Child(const Cell& cell, std::string bare_url, int to_parent)
      : cell_(cell), bare_url_(std::move(bare_url)), to_parent_(to_parent) {
    options_.failover = cell.failover;
    options_.failover_guard_ids = kSkippedIds;
    options_.log = [this](LogLevel, std::string_view line) { say(kWarning, std::string(line)); };
  }

  [[noreturn]] void run(const std::string& url, int from_parent) {
    for (const std::string& variable : cell_.environment) {
      const std::size_t equals = variable.find('=');
      ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
    }
    try {
      const auto store = *open_soci_store(url, options_);
      char go = 0;
      if (cell_.after_lease) {
        tell(lease(*store, Operation::kLease, kFirstTag));
        if (::read(from_parent, &go, 1) != 1) ::_exit(1);
      }
      for (const Operation operation : cell_.operations) {
        tell(perform(*store, operation));
        // The first lease of a process goes through the failover guard. The others are one
        // statement.
        if (operation == Operation::kLease) tell(perform(*store, operation));
      }
      say(kEnd, "");
      for (;;) ::pause();
    } catch (const std::exception& error) {
      say(kEnd, error.what());
    }
    ::_exit(1);
  }

 private:
  void say(char kind, const std::string& text) const {
    const std::string line = kind + text + "\n";
    if (::write(to_parent_, line.data(), line.size()) < 0) ::_exit(1);
  }

  void tell(const Told& told) const {
    std::ostringstream line;
    line << static_cast<int>(told.operation) << ' ' << static_cast<int>(told.status.code()) << ' '
         << told.taken.first << ' ' << told.taken.end << ' ' << told.status.message();
    say(kOperation, line.str());
  }

  static Told lease(Store& store, Operation operation, const std::string& tag) {
    const Result<IdRange> range = store.lease(tag, kLeased);
    return {operation, tag, range.status(), range.ok() ? *range : IdRange()};
  }

  static Told give_back(Store& store) {
    const std::string tag = tag_of(Operation::kGiveBack);
    Told told = lease(store, Operation::kGiveBack, tag);
    if (!told.status.ok()) return told;
    const IdRange tail = {told.taken.first + kLeased / 2, told.taken.end};
    told.taken.end = tail.first;
    const Result<bool> given = store.give_back(tag, tail);
    told.status = given.status();
    if (given.ok() && !*given) told.status = {StatusCode::kDataLoss, "nothing was given back"};
    return told;
  }

  Told init_schema() const {
    const std::string tag = tag_of(Operation::kInitSchema);
    const Status made = init_soci_schema(bare_url_, options_);
    if (!made.ok()) return {Operation::kInitSchema, tag, made, {}};
    return lease(**open_soci_store(bare_url_, options_), Operation::kInitSchema, tag);
  }

  // As a caller does: it retries an unavailable call.
  Told perform(Store& store, Operation operation) const {
    constexpr int kTriesMax = 3;
    Told told = try_once(store, operation);
    for (int tries = 1; tries < kTriesMax; ++tries) {
      if (told.status.code() != StatusCode::kUnavailable) break;
      told = try_once(store, operation);
    }
    return told;
  }

  Told try_once(Store& store, Operation operation) const {
    const std::string tag = tag_of(operation);
    switch (operation) {
      case Operation::kSkip:
      case Operation::kLease:
        return lease(store, operation, tag);
      case Operation::kInitSchema:
        return init_schema();
      case Operation::kCreate:
        return {operation, tag, store.create(tag, kCreatedStep), {}};
      case Operation::kSetStep:
        return {operation, tag, store.update(tag, kStepSet), {}};
      case Operation::kAdvance:
        return {operation, tag, store.advance(tag, kAdvancedTo), {}};
      case Operation::kGiveBack:
        break;
    }
    return give_back(store);
  }

  const Cell& cell_;
  const std::string bare_url_;
  const int to_parent_;
  SociStoreOptions options_;
};

}  // namespace

std::string tag_of(Operation operation) {
  // A tag that every schema has.
  if (operation == Operation::kInitSchema) return "order";
  return std::string(to_string(operation)) + " 号段";
}

FirstProcess::FirstProcess(const Cell& cell, const std::string& url, const std::string& bare_url) {
  int up[2];
  int down[2];
  if (::pipe2(up, O_CLOEXEC) != 0 || ::pipe2(down, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Child(cell, bare_url, up[1]).run(url, down[0]);
  }
  ::close(up[1]);
  ::close(down[0]);
  from_child_ = up[0];
  to_child_ = down[1];
}

FirstProcess::~FirstProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(from_child_);
  ::close(to_child_);
}

std::string FirstProcess::read_line() {
  constexpr int kWaitMs = 60000;
  std::size_t end = 0;
  while ((end = unread_.find('\n')) == std::string::npos) {
    pollfd readable{from_child_, POLLIN, 0};
    char bytes[4096];
    const ssize_t count =
        ::poll(&readable, 1, kWaitMs) == 1 ? ::read(from_child_, bytes, sizeof bytes) : -1;
    if (count <= 0) throw std::runtime_error("process 1 died or hangs");
    unread_.append(bytes, static_cast<std::size_t>(count));
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

std::optional<Told> FirstProcess::read_told() {
  for (;;) {
    const std::string line = read_line();
    const std::string text = line.substr(1);
    if (line[0] == kWarning) {
      warnings_.push_back(text);
    } else if (line[0] == kEnd) {
      if (!text.empty()) throw std::runtime_error("process 1: " + text);
      return std::nullopt;
    } else {
      std::istringstream fields(text);
      int operation = 0;
      int code = 0;
      IdRange taken;
      std::string message;
      fields >> operation >> code >> taken.first >> taken.end;
      std::getline(fields >> std::ws, message);
      Status status;
      if (code != 0) status = {static_cast<StatusCode>(code), message};
      const auto done = static_cast<Operation>(operation);
      return Told{done, tag_of(done), status, taken};
    }
  }
}

Told FirstProcess::first_lease() {
  Told told = read_told().value();
  told.tag = kFirstTag;
  return told;
}

void FirstProcess::go() const {
  if (::write(to_child_, "g", 1) != 1) throw std::runtime_error("process 1 is gone");
}

std::vector<Told> FirstProcess::operations() {
  std::vector<Told> all;
  while (std::optional<Told> told = read_told()) all.push_back(*std::move(told));
  return all;
}

}  // namespace featherid::test
