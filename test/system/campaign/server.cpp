// SPDX-License-Identifier: MIT
#include "test/system/campaign/server.h"

#include <algorithm>
#include <utility>

#include "test/support/ports.h"

namespace featherid::campaign {

Server::Server(const test::ScratchDir& scratch, const std::string& name,
               std::vector<std::string> programs, const Engine& engine, const std::string& failover,
               std::uint64_t seed, bool redis)
    : Process(name),
      scratch_(scratch),
      programs_(std::move(programs)),
      flags_({"--database", engine.database(), "--failover", failover, "--lossy-commits",
              engine.keeps_commits() ? "refuse" : "allow", "--hold",
              std::to_string(kHoldSeconds) + "s", "--lease-max-ids", std::to_string(kLeaseIdsMax),
              "--call-timeout", "2s", "--request-timeout", "1s", "--drain-timeout", "2s"}),
      seed_(seed),
      redis_(redis) {}

void Server::start() {
  const std::string& program = programs_[life_++ % programs_.size()];
  std::vector<std::string> flags = flags_;
  const int redis_port = redis_ ? test::free_port() : 0;
  if (redis_) {
    flags.insert(flags.end(), {"--resp-listen", "127.0.0.1:" + std::to_string(redis_port)});
  }
  process_.emplace(scratch_, flags, std::vector<std::string>(), 0, program);
  address_ = Address{static_cast<std::uint16_t>(process_->port()), life_};
  redis_address_ = Address{static_cast<std::uint16_t>(redis_port), life_};
  for (auto thread = static_cast<std::uint16_t>(clients_.size()); thread < kThreads; ++thread) {
    const bool redis = redis_ && thread % 2 == 1;
    clients_.push_back(std::make_unique<Client>(redis ? make_redis_asker() : make_http_asker(),
                                                redis ? redis_address_ : address_, tags_of(name()),
                                                thread, seed_ * kThreads + thread));
  }
}

int Server::end(int signal) {
  const int code = process_->process().stop(signal);
  for (auto* address : {&address_, &redis_address_}) *address = Address{0, life_};
  return code;
}

void Server::end_asking() {
  for (const auto& client : clients_) client->stop();
}

bool Server::died() { return process_->process().wait(std::chrono::milliseconds(0)).has_value(); }

Process::OwnTag Server::own_tag() {
  const int status = process_->get("/api/v1/id?biz_tag=" + tags_of(name()).back()).status;
  return status == 200 ? OwnTag::kServed : status == 409 ? OwnTag::kStopped : OwnTag::kFailed;
}

std::int64_t Server::all_served_us() {
  std::int64_t oldest = now_us();
  for (const auto& client : clients_) oldest = std::min(oldest, client->served_us());
  return oldest;
}

std::int64_t Server::tags_served_us() {
  std::int64_t oldest = now_us();
  for (std::size_t tag = 0; tag < tags_of(name()).size(); ++tag) {
    std::int64_t served = 0;
    for (const auto& client : clients_) served = std::max(served, client->tag_served_us(tag));
    oldest = std::min(oldest, served);
  }
  return oldest;
}

std::vector<Note> Server::notes() {
  std::vector<Note> all;
  for (const auto& client : clients_) {
    all.insert(all.end(), client->notes().begin(), client->notes().end());
  }
  return all;
}

}  // namespace featherid::campaign
