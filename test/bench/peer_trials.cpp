// SPDX-License-Identifier: MIT
#include "test/bench/peer_trials.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "test/bench/wrk.h"
#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"
#include "test/support/wait_until.h"

namespace featherid::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kClients = 16;
constexpr std::chrono::milliseconds kWarmUp{500};
constexpr std::chrono::milliseconds kArrive{200};  // for answers that were sent before a kill
constexpr std::chrono::milliseconds kPause{1};     // of local clients whose ids are noted

template <typename Count>
void wait_for_more(const Peer& peer, Count count) {
  const auto before = count();
  if (!test::wait_until([&] { return count() > before; }, std::chrono::seconds(60))) {
    throw std::runtime_error(peer.name + " brings no ids");
  }
}

// Waits for an id, and then for `duration`.
void let_work(const Crew& crew, const Peer& peer, std::chrono::milliseconds duration) {
  wait_for_more(peer, [&] { return crew.answered(); });
  pass(duration);
}

}  // namespace

void pass(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kLook{50};
  for (const auto end = Clock::now() + duration; Clock::now() < end;) {
    throw_if_told_to_stop();
    std::this_thread::sleep_for(std::min<Clock::duration>(kLook, end - Clock::now()));
  }
}

CrewReport load(const Peer& peer, int clients, std::chrono::milliseconds duration) {
  CrewOptions options;
  options.clients = clients;
  options.threads = clients <= 4 ? clients : 2;
  Crew crew(peer, options);
  let_work(crew, peer, kWarmUp);
  crew.begin();
  pass(duration);
  return crew.report();
}

Outage measure_outage(const Peer& peer, std::chrono::milliseconds down) {
  const Part& database = peer.parts.back();
  CrewOptions options;
  options.clients = kClients;
  options.pause = kPause;
  Crew crew(peer, options);
  let_work(crew, peer, peer.leases ? down * 6 / 5 : kWarmUp);
  const auto rate_for = [&crew](std::chrono::milliseconds duration) {
    const std::int64_t before = crew.answered();
    const Clock::time_point begin = Clock::now();
    pass(duration);
    const std::chrono::duration<double> took = Clock::now() - begin;
    return static_cast<double>(crew.answered() - before) / took.count();
  };
  Outage outage;
  outage.before_per_second = rate_for(std::chrono::seconds(1));
  database.kill();
  pass(kArrive);
  outage.during_per_second = rate_for(down - kArrive);
  const std::int64_t before = crew.answered();
  const Clock::time_point begin = Clock::now();
  bool back = false;
  // Not the other way round: a process dies with the thread that started it.
  std::thread watching([&] {
    back = test::wait_until([&] { return crew.answered() > before; }, std::chrono::seconds(60));
    outage.back_ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  });
  database.start();
  watching.join();
  if (!back) throw std::runtime_error(peer.name + " brings no ids after an outage");
  crew.report();
  return outage;
}

Loss measure_kill(const Peer& peer, const Part& part, std::chrono::milliseconds duration) {
  CrewOptions options;
  options.clients = kClients;
  options.pause = kPause;
  Crew crew(peer, options);
  let_work(crew, peer, duration);
  part.kill();
  part.start();
  let_work(crew, peer, duration);
  return loss_of(crew.report().ids);
}

Loss measure_application_kill(const Peer& peer, std::chrono::milliseconds duration) {
  const test::ScratchDir scratch;
  const std::string file = scratch.file("notes");
  const SharedNotes notes(file);
  std::vector<std::string> argv = {"/proc/self/exe", "application", file};
  argv.insert(argv.end(), peer.local.begin(), peer.local.end());
  for (int life = 1; life <= 2; ++life) {
    test::ChildProcess application(argv);
    wait_for_more(peer, [&] { return notes.ids().size(); });
    pass(duration);
    application.stop(SIGKILL);
  }
  return loss_of(notes.ids());
}

void run_application(const std::vector<std::string>& arguments) {
  SharedNotes notes(arguments.at(0));
  Peer peer;
  peer.local.assign(arguments.begin() + 1, arguments.end());
  CrewOptions options;
  options.clients = kClients;
  options.pause = kPause;
  options.notes = &notes;
  const Crew crew(peer, options);
  for (;;) ::pause();
}

}  // namespace featherid::bench
