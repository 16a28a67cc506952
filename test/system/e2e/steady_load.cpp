// SPDX-License-Identifier: MIT
#include "test/system/e2e/steady_load.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "test/support/raw_client.h"

namespace featherid::test {

namespace {

const std::string kRequest =
    "GET /api/v1/id/batch?biz_tag=order&count=" + std::to_string(SteadyLoad::kBatchIds) +
    " HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

SteadyLoad::SteadyLoad(const std::vector<int>& ports) {
  for (const int port : ports) {
    for (int i = 0; i < kClientsPerServer; ++i) {
      Client& client = *clients_.emplace_back(std::make_unique<Client>());
      client.thread = std::thread([this, port, &client] { run(port, client); });
    }
  }
}

void SteadyLoad::stop() {
  stopping_ = true;
  for (const auto& client : clients_) {
    if (client->thread.joinable()) client->thread.join();
  }
}

void SteadyLoad::run(int port, Client& client) {
  const RawClient connection(port);
  Clock::time_point next = Clock::now();
  while (!stopping_) {
    Request request{port, Clock::now(), {}, false};
    connection.send(kRequest);
    const std::optional<std::string> answer = connection.read_until("}");
    request.ended = Clock::now();
    request.served = answer && answer->compare(0, 12, "HTTP/1.1 200") == 0;
    {
      const std::lock_guard<std::mutex> lock(client.mutex);
      client.requests.push_back(request);
      if (request.served) {
        const auto body = nlohmann::json::parse(answer->substr(answer->find("\r\n\r\n")));
        for (const auto& id : body["data"]) client.ids.push_back(id.get<std::int64_t>());
      }
    }
    // Missed requests are not made up for, because a burst after a stall would change the burn.
    next = std::max(next + kPause, request.ended);
    std::this_thread::sleep_until(next);
  }
}

std::vector<SteadyLoad::Request> SteadyLoad::between(Clock::time_point begin,
                                                     Clock::time_point end) const {
  std::vector<Request> found;
  for (const auto& client : clients_) {
    const std::lock_guard<std::mutex> lock(client->mutex);
    for (const Request& request : client->requests) {
      if (request.sent >= begin && request.ended < end) found.push_back(request);
    }
  }
  return found;
}

std::vector<std::int64_t> SteadyLoad::sorted_ids() const {
  std::vector<std::int64_t> ids;
  for (const auto& client : clients_) ids.insert(ids.end(), client->ids.begin(), client->ids.end());
  std::sort(ids.begin(), ids.end());
  return ids;
}

int errors_in(const std::vector<SteadyLoad::Request>& requests) {
  return static_cast<int>(std::count_if(requests.begin(), requests.end(),
                                        [](const auto& request) { return !request.served; }));
}

std::chrono::microseconds p99_of(const std::vector<SteadyLoad::Request>& requests) {
  std::vector<SteadyLoad::Clock::duration> took;
  took.reserve(requests.size());
  for (const auto& request : requests) took.push_back(request.ended - request.sent);
  std::sort(took.begin(), took.end());
  if (took.empty()) return {};
  return std::chrono::duration_cast<std::chrono::microseconds>(took[took.size() * 99 / 100]);
}

std::chrono::microseconds usual_p99_of(std::vector<SteadyLoad::Request> requests) {
  constexpr std::size_t kGroup = 69;  // 0.99^69 = 0.5: half of them have one of the slow hundredth
  std::sort(requests.begin(), requests.end(),
            [](const auto& one, const auto& other) { return one.sent < other.sent; });
  std::vector<SteadyLoad::Clock::duration> slowest(requests.size() / kGroup);
  for (std::size_t i = 0; i < slowest.size() * kGroup; ++i) {
    SteadyLoad::Clock::duration& so_far = slowest[i / kGroup];
    so_far = std::max(so_far, requests[i].ended - requests[i].sent);
  }
  std::sort(slowest.begin(), slowest.end());
  if (slowest.empty()) return {};
  return std::chrono::duration_cast<std::chrono::microseconds>(slowest[slowest.size() / 2]);
}

}  // namespace featherid::test
