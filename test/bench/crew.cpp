// SPDX-License-Identifier: MIT
#include "test/bench/crew.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "test/bench/local_clients.h"

namespace featherid::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRetry{20};  // after a connection broke

constexpr std::size_t kRoom = std::size_t{1} << 22;  // ids

}  // namespace

struct SharedNotes::Notes {
  std::atomic<std::size_t> count;
  std::atomic<std::int64_t> ids[kRoom];

  // Of zeros at first, which is what such atomics begin with.
  static Notes* map(const std::string& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    void* memory = MAP_FAILED;
    if (fd >= 0 && ::ftruncate(fd, sizeof(Notes)) == 0) {
      memory = ::mmap(nullptr, sizeof(Notes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    ::close(fd);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot map " + file);
    return static_cast<Notes*>(memory);
  }
};

SharedNotes::SharedNotes(const std::string& file) : notes_(Notes::map(file)) {}
SharedNotes::~SharedNotes() { ::munmap(notes_, sizeof(Notes)); }

void SharedNotes::add(std::int64_t id) {
  const std::size_t at = notes_->count.fetch_add(1);
  if (at >= kRoom) throw std::runtime_error("too many ids to note");
  notes_->ids[at] = id;
}

std::vector<std::int64_t> SharedNotes::ids() const {
  std::vector<std::int64_t> ids;
  const std::size_t count = std::min(notes_->count.load(), kRoom);
  for (std::size_t i = 0; i < count; ++i) {
    if (const std::int64_t id = notes_->ids[i]; id != 0) ids.push_back(id);  // 0: killed before
  }
  return ids;
}

// One thread. What it counts is read by others; the rest only once it has ended.
class alignas(64) Crew::Worker {
 public:
  virtual ~Worker() = default;

  void run(const std::atomic<bool>& stopping) {
    try {
      work(stopping);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  std::int64_t answered() const { return answered_.load(std::memory_order_relaxed); }
  void begin() { round_.fetch_add(1); }
  void add_to(CrewReport* report) const {
    if (failure_) std::rethrow_exception(failure_);
    report->refused += refused_;
    report->broken += broken_;
    report->latencies.add(latencies_);
    report->ids.insert(report->ids.end(), ids_.begin(), ids_.end());
  }

 protected:
  virtual void work(const std::atomic<bool>& stopping) = 0;

  // Relaxed: a count, and nothing is read because of it.
  void count(int ids) {
    answered_.store(answered_.load(std::memory_order_relaxed) + ids, std::memory_order_relaxed);
  }
  void time(Clock::duration took) {
    if (const int round = round_.load(); round != seen_round_) {
      seen_round_ = round;
      latencies_ = Latencies();
      refused_ = 0;
      broken_ = 0;
    }
    latencies_.add(std::chrono::nanoseconds(took).count());
  }

  std::int64_t refused_ = 0;
  std::int64_t broken_ = 0;
  std::vector<std::int64_t> ids_;

 private:
  std::atomic<std::int64_t> answered_{0};
  std::atomic<int> round_{0};
  int seen_round_ = 0;
  Latencies latencies_;
  std::exception_ptr failure_;
};

namespace {

class LocalWorker : public Crew::Worker {
 public:
  LocalWorker(std::unique_ptr<LocalClient> client, int batch, const CrewOptions& options)
      : client_(std::move(client)), batch_(batch), options_(options) {}

 private:
  void work(const std::atomic<bool>& stopping) override {
    while (!stopping) {
      const Clock::time_point called = Clock::now();
      const std::int64_t id = client_->take(1);
      time(Clock::now() - called);
      if (id == kRefused) {
        ++refused_;
      } else if (options_.pause.count() > 0) {
        note(id);
        count(1);
        std::this_thread::sleep_for(options_.pause);
      } else if (batch_ == 1 || client_->take(batch_ - 1) != kRefused) {
        count(batch_);
      }
    }
  }

  void note(std::int64_t id) {
    if (options_.notes != nullptr) {
      options_.notes->add(id);
    } else {
      ids_.push_back(id);
    }
  }

  std::unique_ptr<LocalClient> client_;
  const int batch_;
  const CrewOptions options_;
};

class RemoteWorker : public Crew::Worker {
 public:
  RemoteWorker(const Peer& peer, int clients)
      : peer_(peer), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    seats_.resize(static_cast<std::size_t>(clients));
    for (Seat& seat : seats_) connect(seat);
  }
  ~RemoteWorker() override { ::close(epoll_); }

 private:
  struct Seat {
    std::unique_ptr<RemoteClient> client;  // none: its connection is broken
    Clock::time_point sent;                // or when to connect again
  };

  void work(const std::atomic<bool>& stopping) override {
    now_ = Clock::now();
    for (Seat& seat : seats_) ask(seat);
    epoll_event events[64];
    while (!stopping) {
      const int count = ::epoll_wait(epoll_, events, 64, answered_at_once_.empty() ? 10 : 0);
      now_ = Clock::now();
      for (Seat* const seat : std::exchange(answered_at_once_, {})) receive(*seat);
      for (int i = 0; i < count; ++i) receive(*static_cast<Seat*>(events[i].data.ptr));
      if (broken_seats_ > 0) connect_again();
    }
  }

  void connect(Seat& seat) {
    seat.client = peer_.connect();
    epoll_event event{EPOLLIN, {}};
    event.data.ptr = &seat;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, seat.client->socket(), &event);
  }

  void ask(Seat& seat) {
    seat.sent = now_;
    try {
      if (seat.client->ask()) answered_at_once_.push_back(&seat);
    } catch (const std::exception&) {
      leave(seat);
    }
  }

  void receive(Seat& seat) {
    if (!seat.client) return;
    std::optional<std::int64_t> id;
    try {
      id = seat.client->answer();
    } catch (const std::exception&) {
      return leave(seat);
    }
    if (!id) return;
    time(now_ - seat.sent);
    if (*id == kRefused) {
      ++refused_;
    } else {
      ids_.push_back(*id);
      count(1);
    }
    ask(seat);
  }

  void leave(Seat& seat) {
    seat.client.reset();
    seat.sent = now_ + kRetry;
    ++broken_;
    ++broken_seats_;
  }

  void connect_again() {
    for (Seat& seat : seats_) {
      if (seat.client || now_ < seat.sent) continue;
      try {
        connect(seat);
      } catch (const std::exception&) {
        seat.client.reset();
        seat.sent = Clock::now() + kRetry;
        continue;
      }
      --broken_seats_;
      ask(seat);
    }
  }

  const Peer& peer_;
  const int epoll_;
  std::vector<Seat> seats_;  // does not move
  std::vector<Seat*> answered_at_once_;
  int broken_seats_ = 0;
  Clock::time_point now_;  // of the last events: one look at the clock for all of them
};

}  // namespace

Crew::Crew(const Peer& peer, const CrewOptions& options) {
  if (!peer.local.empty()) {
    const LocalFactory make = open_local(peer.local);
    for (int i = 0; i < options.clients; ++i) {
      workers_.push_back(std::make_unique<LocalWorker>(make(), peer.batch, options));
    }
  } else {
    const int threads = std::min(options.threads, options.clients);
    for (int i = 0; i < threads; ++i) {
      workers_.push_back(std::make_unique<RemoteWorker>(peer, options.clients / threads));
    }
  }
  // A thousand threads are not made beside those that already work.
  const std::lock_guard<std::mutex> all_begin(gate_);
  for (const auto& worker : workers_) {
    threads_.emplace_back([this, &worker = *worker] {
      { const std::lock_guard<std::mutex> wait(gate_); }
      worker.run(stopping_);
    });
  }
  begun_ = Clock::now();
}

Crew::~Crew() { stop(); }

void Crew::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::int64_t Crew::answered() const {
  std::int64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->answered();
  return sum;
}

void Crew::begin() {
  for (const auto& worker : workers_) worker->begin();
  answered_before_ = answered();
  begun_ = Clock::now();
}

CrewReport Crew::report() {
  CrewReport report;
  report.answered = answered() - answered_before_;
  report.seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  stop();
  for (const auto& worker : workers_) worker->add_to(&report);
  return report;
}

}  // namespace featherid::bench
