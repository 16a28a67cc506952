// SPDX-License-Identifier: MIT
#include "lib/base/log_sink.h"

#include <atomic>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {
std::string never_made() {
  FAIL("a line was made that nobody reads");
  return "";
}
}  // namespace

TEST_CASE("a line reaches the callback with its level", "[log_sink]") {
  std::vector<std::string> lines;
  LogSink sink([&](LogLevel level, std::string_view line) {
    CHECK(level == LogLevel::kWarn);
    lines.emplace_back(line);
  });
  sink.write(LogLevel::kWarn, [] { return std::string("a"); });
  sink.write(LogLevel::kWarn, [] { return std::string("b"); });
  CHECK(lines == std::vector<std::string>{"a", "b"});
}

TEST_CASE("no line is made without a callback or after close()", "[log_sink]") {
  LogSink none((LogCallback()));
  none.write(LogLevel::kError, never_made);
  int lines = 0;
  LogSink sink([&](LogLevel, std::string_view) { ++lines; });
  sink.close();
  sink.write(LogLevel::kError, never_made);
  CHECK(lines == 0);
}

TEST_CASE("an exception costs one line", "[log_sink][fault]") {
  int lines = 0;
  LogSink sink([&](LogLevel, std::string_view line) {
    if (line == "bad") throw 42;
    ++lines;
  });
  sink.write(LogLevel::kInfo, [] { return std::string("bad"); });
  sink.write(LogLevel::kInfo, []() -> std::string { throw std::bad_alloc(); });
  sink.write(LogLevel::kInfo, [] { return std::string("good"); });
  CHECK(lines == 1);
}

TEST_CASE("a callback may close the sink that calls it", "[log_sink]") {
  LogSink* own = nullptr;
  int lines = 0;
  const auto kept = std::make_shared<int>(7);
  LogSink sink([&own, &lines, kept](LogLevel, std::string_view) {
    own->close();
    lines += *kept == 7;  // its captures live until it returns
  });
  own = &sink;
  sink.write(LogLevel::kInfo, [] { return std::string("a"); });
  sink.write(LogLevel::kInfo, never_made);
  CHECK(lines == 1);
}

TEST_CASE("once close() has returned the callback does not run", "[log_sink][threads]") {
  for (int round = 0; round < 10; ++round) {
    std::atomic<bool> closed{false};
    std::atomic<int> late{0};
    std::atomic<int> lines{0};
    LogSink sink([&](LogLevel, std::string_view) {
      std::this_thread::yield();
      if (closed) ++late;
      ++lines;
    });
    std::atomic<bool> done{false};
    std::thread writer([&] {
      while (!done) sink.write(LogLevel::kInfo, [] { return std::string("x"); });
    });
    while (lines == 0) std::this_thread::yield();
    sink.close();
    closed = true;
    done = true;
    writer.join();
    REQUIRE(late == 0);
  }
}

}  // namespace featherid
