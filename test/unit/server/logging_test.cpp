// SPDX-License-Identifier: MIT
#include "server/log/logging.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/support/in_fork.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace {

// Logs in a child with its own default logger and standard error. Returns the lines of its files.
template <typename Say>
std::vector<std::string> lines_of(const std::string& dir, LogFormat format, Say say) {
  const std::string errors = dir + ".stderr";  // the log, and what a sanitizer finds
  const int failures = test::failures_in_fork([&] {
    ::dup2(::open(errors.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    LogFilesOptions options;
    options.dir = dir;
    Result<std::shared_ptr<LogFiles>> files = LogFiles::open(options);
    if (!files.ok()) return 1;
    start_logging(spdlog::level::info, format, *std::move(files));
    say();
    stop_logging();
    return 0;
  });
  INFO(test::read_file(errors));
  CHECK(failures == 0);
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    std::istringstream text(test::read_file(entry.path().string()));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("a JSON line is valid JSON, whatever the message contains", "[logging]") {
  const test::ScratchDir scratch;
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  const std::vector<std::string> messages = {"plain", "\"}{\\", "new\nline %v {}", "商品", all};
  const auto lines = lines_of(scratch.file("logs"), LogFormat::kJson, [&] {
    for (const std::string& message : messages) spdlog::warn("{}", message);
  });
  REQUIRE(lines.size() == messages.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = nlohmann::json::parse(lines[i], nullptr, false);
    REQUIRE(line.is_object());
    CHECK(line.size() == 3);
    CHECK(line["level"] == "warn");
    CHECK(line["time"].get<std::string>().size() ==
          std::string("2026-01-01T00:00:00.000+00:00").size());
    if (messages[i] != all) CHECK(line["message"] == messages[i]);
  }
}

TEST_CASE("the last warnings are kept", "[logging]") {
  const test::ScratchDir scratch;
  const auto lines = lines_of(scratch.file("logs"), LogFormat::kText, [] {
    spdlog::error("first");
    for (std::size_t i = 0; i < kRecentWarningsMax - 1; ++i) spdlog::warn("warning {}", i);
    spdlog::info("no warning");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const auto kept = [] { return recent_warnings(); };
    while (kept().size() < kRecentWarningsMax && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const bool right = kept().size() == kRecentWarningsMax && kept().front().text == "first" &&
                       kept().front().level == spdlog::level::err &&
                       kept().back().text == "warning 48";
    spdlog::info(right ? "right" : "wrong");
  });
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.back().find("right") != std::string::npos);
}

TEST_CASE("a JSON line may have members of its own, at the level of all lines", "[logging]") {
  const test::ScratchDir scratch;
  const auto lines = lines_of(scratch.file("logs"), LogFormat::kJson, [&] {
    log_json(spdlog::level::info, R"("message":"GET /","status":200)");
    log_json(spdlog::level::debug, R"("message":"unheard")");
  });
  REQUIRE(lines.size() == 1);
  const auto line = nlohmann::json::parse(lines[0], nullptr, false);
  REQUIRE(line.is_object());
  CHECK(line["level"] == "info");
  CHECK(line["message"] == "GET /");
  CHECK(line["status"] == 200);
}

TEST_CASE("in a flood of lines, dropped lines are counted and no line comes twice",
          "[logging][fault]") {
  const test::ScratchDir scratch;
  constexpr int kThreads = 2;
  constexpr int kLines = 500000;  // of each thread
  const auto before = std::chrono::steady_clock::now();
  const auto lines = lines_of(scratch.file("logs"), LogFormat::kText, [] {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([thread] {
        for (int i = 0; i < kLines; ++i) spdlog::info("line {}", thread * kLines + i);
      });
    }
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    spdlog::info("rate {}", static_cast<int>(kThreads * kLines / took.count()));
  });
  std::vector<bool> seen(kThreads * kLines);
  int written = 0;
  int doubled = 0;
  int dropped = 0;
  std::string rate;
  for (const std::string& line : lines) {
    if (const std::size_t at = line.find(" line "); at != std::string::npos) {
      auto mark = seen.at(static_cast<std::size_t>(std::stoi(line.substr(at + 6))));
      if (mark) ++doubled;
      mark = true;
      ++written;
    } else if (line.find(" log lines were dropped") != std::string::npos) {
      dropped += std::stoi(line.substr(line.find("warn ") + 5));
    } else {
      rate = line.substr(line.find("rate"));
    }
  }
  WARN(rate << " lines/s; written: " << written << ", dropped: " << dropped);
  CHECK(doubled == 0);
  CHECK(written + dropped >= kThreads * kLines);
  // Once a second the queue also carries a request to flush, which counts as a line when dropped.
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  CHECK(written + dropped <= kThreads * kLines + took.count() + 1);
}

}  // namespace featherid
