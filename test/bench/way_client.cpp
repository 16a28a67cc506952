// SPDX-License-Identifier: MIT
#include "test/bench/way_client.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "featherid/segment_allocator.h"
#include "server/store/stores.h"
#include "test/bench/channel.h"
#include "test/support/wait_until.h"

namespace featherid::bench {

namespace {

using Clock = std::chrono::steady_clock;

// Long enough for leases to grow to their largest.
constexpr std::chrono::milliseconds kWarmUp{300};

// Makes calls for that long. It times one of `sampled` calls (a power of two), because two looks at
// the clock cost more than an id from memory.
template <typename Call>
WayReport drive(Call& call, std::chrono::milliseconds duration, unsigned sampled) {
  WayReport report;
  const Clock::time_point begin = Clock::now();
  Clock::time_point now = begin;
  for (unsigned n = 0; now < begin + duration; ++n) {
    if (n % sampled != 0) {
      call(&report);
      continue;
    }
    const Clock::time_point called = Clock::now();
    call(&report);
    now = Clock::now();
    report.latencies.add(std::chrono::nanoseconds(now - called).count());
  }
  report.seconds = std::chrono::duration<double>(now - begin).count();
  return report;
}

// Warms up, waits for all others, and leaves a report.
template <typename Call>
void take_part(Call& call, std::chrono::milliseconds duration, unsigned sampled,
               const Meeting& meeting, int number) {
  drive(call, kWarmUp, sampled);
  std::ofstream(meeting.ready_file(number)).flush();
  if (!test::wait_until([&] { return std::filesystem::exists(meeting.go_file()); })) {
    throw std::runtime_error("nobody says when to begin");
  }
  drive(call, duration, sampled).save(meeting.report_file(number));
}

// --- the calls ---

class EmbeddedCall {
 public:
  explicit EmbeddedCall(Sequence sequence) : sequence_(std::move(sequence)) {}
  void operator()(WayReport* report) {
    if (const Result<std::int64_t> id = sequence_.next(); id.ok()) {
      report->add({*id, *id + 1});
    } else {
      ++report->errors;
    }
  }

 private:
  Sequence sequence_;
};

// Reads the number at the front of `text` and takes it off. Throws if there is none.
std::int64_t take_number(std::string_view* text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) throw std::runtime_error("no id in an answer");
  text->remove_prefix(static_cast<std::size_t>(end - text->data()));
  return number;
}

class HttpCall {
 public:
  explicit HttpCall(const WayCall& call)
      : kind_(call.kind), channel_(std::stoi(call.where), call.ca_file) {
    const std::string count = "&count=" + std::to_string(call.ids);
    const std::string path = kind_ == WayCall::Kind::kHttpId      ? "id?biz_tag=" + call.tag
                             : kind_ == WayCall::Kind::kHttpBatch ? "id/batch?biz_tag=" + call.tag
                                                                  : "id/range?biz_tag=" + call.tag;
    request_ = "GET /api/v1/" + path + (kind_ == WayCall::Kind::kHttpId ? "" : count) +
               " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  }

  void operator()(WayReport* report) {
    channel_.send(request_);
    std::string_view answer;
    std::size_t size = 0;
    do answer = channel_.receive();
    while ((size = size_of(answer)) == 0);
    if (answer.substr(9, 3) == "200") {
      note_ids(answer.substr(0, size), report);
    } else {
      ++report->errors;
    }
    channel_.consume(size);
  }

 private:
  // The length of the answer at the front; 0: more is missing.
  static std::size_t size_of(std::string_view answer) {
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t head = answer.find("\r\n\r\n");
    if (head == std::string_view::npos) return 0;
    const std::size_t length = answer.find(kLength);
    if (length > head) throw std::runtime_error("an answer without its length");
    std::string_view digits = answer.substr(length + kLength.size());
    const std::size_t size = head + 4 + static_cast<std::size_t>(take_number(&digits));
    return answer.size() < size ? 0 : size;
  }

  void note_ids(std::string_view answer, WayReport* report) const {
    constexpr std::string_view kData = "\"data\":";
    answer.remove_prefix(answer.find(kData) + kData.size());
    if (kind_ == WayCall::Kind::kHttpRange) return note_ranges(answer, report);
    if (kind_ == WayCall::Kind::kHttpBatch) answer.remove_prefix(1);  // [
    do {
      const std::int64_t id = take_number(&answer);
      report->add({id, id + 1});
      const bool more = answer.front() == ',' && kind_ == WayCall::Kind::kHttpBatch;
      answer.remove_prefix(1);
      if (!more) return;
    } while (true);
  }

  static void note_ranges(std::string_view answer, WayReport* report) {
    constexpr std::string_view kFirst = "\"first\":";
    constexpr std::string_view kLast = "\"last\":";
    for (std::size_t at = 0; (at = answer.find(kFirst)) != std::string_view::npos;) {
      answer.remove_prefix(at + kFirst.size());
      const std::int64_t first = take_number(&answer);
      answer.remove_prefix(answer.find(kLast) + kLast.size());
      report->add({first, take_number(&answer) + 1});
    }
  }

  const WayCall::Kind kind_;
  Channel channel_;
  std::string request_;
};

class RedisCall {
 public:
  explicit RedisCall(const WayCall& call)
      : commands_(call.ids), channel_(std::stoi(call.where), call.ca_file) {
    const std::string size = std::to_string(call.tag.size());
    for (int i = 0; i < commands_; ++i) {
      request_ += "*2\r\n$4\r\nINCR\r\n$" + size + "\r\n" + call.tag + "\r\n";
    }
  }

  void operator()(WayReport* report) {
    channel_.send(request_);
    for (int missing = commands_; missing > 0;) {
      std::string_view answers = channel_.receive();
      for (std::size_t end = 0; (end = answers.find("\r\n")) != std::string_view::npos; --missing) {
        note_answer(answers.substr(0, end), report);
        channel_.consume(end + 2);
        answers.remove_prefix(end + 2);
      }
    }
  }

 private:
  static void note_answer(std::string_view answer, WayReport* report) {
    if (answer.front() != ':') return void(++report->errors);
    answer.remove_prefix(1);
    const std::int64_t id = take_number(&answer);
    report->add({id, id + 1});
  }

  const int commands_;
  Channel channel_;
  std::string request_;
};

void run_embedded(const WayCall& call, std::chrono::milliseconds duration, const Meeting& meeting,
                  int number) {
  StoreOptions options;
  options.addresses = {call.where};
  Result<std::unique_ptr<Store>> store = open_store(options);
  if (!store.ok()) throw std::runtime_error(store.status().to_string());
  SegmentAllocator ids(*std::move(store));
  const Result<Sequence> sequence = ids.sequence(call.tag);
  if (!sequence.ok()) throw std::runtime_error(sequence.status().to_string());
  constexpr unsigned kSampled = 64;
  const Result<std::int64_t> first = ids.next_id(call.tag);
  if (!first.ok()) throw std::runtime_error(first.status().to_string());
  // A tag of strict order has no ids in memory.
  const bool waits = ids.try_next_id(call.tag).status().code() == StatusCode::kUnavailable;
  EmbeddedCall next(*sequence);
  take_part(next, duration, waits ? 1 : kSampled, meeting, number);
}

template <typename Call>
void run_remote(const WayCall& call, std::chrono::milliseconds duration, const Meeting& meeting,
                int number) {
  Call remote(call);
  take_part(remote, duration, 1, meeting, number);
}

template <typename T>
void put(std::ofstream& out, const T& value) {
  out.write(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
void get(std::ifstream& in, T* value) {
  in.read(reinterpret_cast<char*>(value), sizeof *value);
}

}  // namespace

void WayReport::save(const std::string& file) const {
  std::ofstream out(file, std::ios::binary);
  put(out, ids);
  put(out, errors);
  put(out, seconds);
  latencies.save(out);
  put(out, ranges.size());
  for (const IdRange& range : ranges) put(out, range);
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

WayReport WayReport::load(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  WayReport report;
  std::size_t ranges = 0;
  get(in, &report.ids);
  get(in, &report.errors);
  get(in, &report.seconds);
  report.latencies.load(in);
  get(in, &ranges);
  if (in) report.ranges.resize(ranges);
  for (IdRange& range : report.ranges) get(in, &range);
  if (!in) throw std::runtime_error("no report in " + file);
  return report;
}

std::vector<std::string> arguments_of(const WayCall& call, std::chrono::milliseconds duration,
                                      const Meeting& meeting, int number) {
  return {"client",
          std::to_string(static_cast<int>(call.kind)),
          call.where,
          call.tag,
          std::to_string(call.ids),
          call.ca_file,
          std::to_string(duration.count()),
          meeting.folder(),
          std::to_string(number)};
}

int run_way_client(const std::vector<std::string>& arguments) {
  const WayCall call{static_cast<WayCall::Kind>(std::stoi(arguments.at(1))), arguments.at(2),
                     arguments.at(3), std::stoi(arguments.at(4)), arguments.at(5)};
  const std::chrono::milliseconds duration(std::stoi(arguments.at(6)));
  const Meeting meeting(arguments.at(7));
  const int number = std::stoi(arguments.at(8));
  try {
    switch (call.kind) {
      case WayCall::Kind::kEmbedded:
        run_embedded(call, duration, meeting, number);
        break;
      case WayCall::Kind::kRedis:
        run_remote<RedisCall>(call, duration, meeting, number);
        break;
      default:
        run_remote<HttpCall>(call, duration, meeting, number);
    }
  } catch (const std::exception& e) {
    std::cerr << "client process " << number << ": " << e.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace featherid::bench
