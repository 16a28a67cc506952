// SPDX-License-Identifier: MIT
#include "test/system/e2e/neighbour.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "test/support/raw_client.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

using std::chrono::microseconds;

}  // namespace

Neighbour::Neighbour(int port, std::string tag)
    : thread_([this, port, tag = std::move(tag)] { ask(port, tag); }) {}

Neighbour::~Neighbour() {
  stopping_ = true;
  thread_.join();
}

void Neighbour::ask(int port, const std::string& tag) {
  const std::string request = "GET /api/v1/id?biz_tag=" + tag + " HTTP/1.1\r\nHost: x\r\n\r\n";
  const RawClient client(port);
  std::int64_t last_id = 0;
  while (!stopping_) {
    const Stopwatch::Duration begin = watch_.elapsed();
    client.send(request);
    const std::optional<std::string> answer = client.read_until("}");
    const auto took = std::chrono::duration_cast<microseconds>(watch_.elapsed() - begin);
    const std::size_t data = answer ? answer->find("\"data\":") : std::string::npos;
    const std::int64_t id = data == std::string::npos ? 0 : std::atoll(answer->c_str() + data + 7);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      latencies_.push_back(took);
      if (id <= last_id) ++errors_;
    }
    last_id = std::max(last_id, id);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

int Neighbour::answers() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int>(latencies_.size());
}

Neighbour::Figures Neighbour::figures(int answers_min) {
  if (!wait_until([&] { return answers() >= answers_min; }))
    throw std::runtime_error("the neighbour gets no answers");
  std::vector<microseconds> latencies;
  Figures figures;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    latencies = std::exchange(latencies_, {});
    figures.errors = std::exchange(errors_, 0);
  }
  std::sort(latencies.begin(), latencies.end());
  figures.answers = static_cast<int>(latencies.size());
  figures.median = latencies[latencies.size() / 2];
  figures.p90 = latencies[latencies.size() * 90 / 100];
  figures.slowest = latencies.back();
  return figures;
}

}  // namespace featherid::test
