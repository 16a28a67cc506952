// SPDX-License-Identifier: MIT
#include "server/log/log_files.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "server/log/logging.h"
#include "test/support/catch.h"
#include "test/support/child_process.h"
#include "test/support/in_fork.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::system_clock;

namespace {

std::set<std::string> names_in(const fs::path& dir) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().filename() != "featherid.lock") names.insert(entry.path().filename().string());
  }
  return names;
}

std::string gunzip(const fs::path& path) {
  gzFile file = ::gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string text;
  char chunk[4096];
  for (int n; (n = ::gzread(file, chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(n));
  }
  ::gzclose(file);
  return text;
}

// The lines of every file in the folder. Fails the test if gzip finds an incomplete one.
std::multiset<std::string> lines_in(const fs::path& dir) {
  std::multiset<std::string> lines;
  for (const std::string& name : names_in(dir)) {
    const std::string path = dir / name;
    const bool is_compressed = fs::path(name).extension() == ".gz";
    if (is_compressed) test::run({"gzip", "-t", path});
    std::istringstream text(is_compressed ? gunzip(path) : test::read_file(path));
    for (std::string line; std::getline(text, line);) lines.insert(line);
  }
  return lines;
}

void write_file(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

std::string date(system_clock::time_point when) {
  const std::time_t time = system_clock::to_time_t(when);
  std::tm day{};
  ::localtime_r(&time, &day);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &day);
  return text;
}

std::shared_ptr<LogFiles> open_files(const LogFilesOptions& options) {
  Result<std::shared_ptr<LogFiles>> opened = LogFiles::open(options);
  REQUIRE(opened.ok());
  (*opened)->set_pattern("%v");
  return *opened;
}

void log(LogFiles& files, const std::string& text, system_clock::time_point when) {
  files.log({when, {}, "test", spdlog::level::info, text});
}

}  // namespace

TEST_CASE("lines go to the file of their local date; the day before is compressed", "[log_files]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.file("logs");
  const auto files = open_files(options);
  const auto now = system_clock::now();
  log(*files, "today", now);
  const auto tomorrow = now + hours(24);
  log(*files, "tomorrow", tomorrow);
  files->wait_until_tidy();
  const std::string first = "featherid-" + date(now) + ".log.gz";
  const std::string second = "featherid-" + date(tomorrow) + ".log";
  CHECK(names_in(options.dir) == std::set<std::string>{first, second});
  CHECK(gunzip(fs::path(options.dir) / first) == "today\n");
  CHECK(test::read_file(options.dir + "/" + second) == "tomorrow\n");
}

TEST_CASE("a full file is rotated, and the newest backups are kept", "[log_files]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.file("logs");
  options.file_bytes_max = 100;
  options.backups_max = 3;
  const auto files = open_files(options);
  const auto now = system_clock::now();
  for (int i = 0; i < 12; ++i) {
    log(*files, std::to_string(i) + std::string(58, 'x'), now);
    files->wait_until_tidy();
  }
  const std::string stem = "featherid-" + date(now);
  CHECK(names_in(options.dir) == std::set<std::string>{stem + ".log", stem + ".9.log.gz",
                                                       stem + ".10.log.gz", stem + ".11.log.gz"});
  CHECK(gunzip(fs::path(options.dir) / (stem + ".9.log.gz")).substr(0, 2) == "8x");
  CHECK(test::read_file(options.dir + "/" + stem + ".log").substr(0, 3) == "11x");
}

TEST_CASE("a restart appends to the same file and counts the bytes in it", "[log_files]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.file("logs");
  options.file_bytes_max = 100;
  const auto now = system_clock::now();
  log(*open_files(options), std::string(80, 'a'), now);
  const auto files = open_files(options);
  log(*files, std::string(80, 'b'), now);
  files->wait_until_tidy();
  CHECK(names_in(options.dir).size() == 2);
}

TEST_CASE("tidying completes what a crash interrupted and removes old files", "[log_files]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.path().string();
  options.keep_days = 30;
  const std::atomic<bool> never{false};
  for (const char* name :
       {"featherid-2026-03-31.log",              // in use
        "featherid-2026-04-01.log",              // opened since
        "featherid-2026-03-31.1.log",            // finished
        "featherid-2026-03-30.log",              // finished
        "featherid-2026-03-30.2.log.gz.tmp",     // half done
        "featherid-2026-03-29.log",              // the clock went back to this day
        "featherid-2026-03-29.log.gz",           //
        "featherid-2026-03-28.log.compressing",  // done, but not yet removed
        "featherid-2026-03-28.log.gz",           //
        "featherid-2026-03-27.log.compressing",  // not done
        "featherid-2026-03-27.log.gz.tmp",       //
        "featherid-2026-03-27.log",              // and then the clock went back to this day
        "featherid-2026-03-01.log.gz",           // just young enough
        "featherid-2026-02-28.log.gz",           // too old
        "featherid-2025-12-31.4.log",            // too old
        "featherid-2020-02-30.log",              // there is no such day, so it is not ours
        "featherid-2020-01-01.txt", "other-2020-01-01.log", "featherid-2020-1-1.log"}) {
    write_file(scratch.file(name), name);
  }
  std::mutex writing;
  tidy_log_dir(options, writing, "2026-03-31", never);
  CHECK(names_in(scratch.path()) ==
        std::set<std::string>{"featherid-2026-04-01.log", "featherid-2026-03-31.log",
                              "featherid-2026-03-31.1.log.gz", "featherid-2026-03-30.log.gz",
                              "featherid-2026-03-29.log.gz", "featherid-2026-03-29.1.log.gz",
                              "featherid-2026-03-28.log.gz", "featherid-2026-03-27.log.gz",
                              "featherid-2026-03-27.1.log.gz", "featherid-2026-03-01.log.gz",
                              "featherid-2020-01-01.txt", "other-2020-01-01.log",
                              "featherid-2020-1-1.log", "featherid-2020-02-30.log"});
  CHECK(gunzip(scratch.file("featherid-2026-03-31.1.log.gz")) == "featherid-2026-03-31.1.log");
  CHECK(gunzip(scratch.file("featherid-2026-03-27.log.gz")) ==
        "featherid-2026-03-27.log.compressing");
  CHECK(gunzip(scratch.file("featherid-2026-03-27.1.log.gz")) == "featherid-2026-03-27.log");
}

TEST_CASE("a folder that cannot be written, or is in use, is refused", "[log_files]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  write_file(scratch.file("plain"), "");
  for (const char* dir : {"/proc/logs", "/dev/null"}) {
    options.dir = dir;
    const auto refused = LogFiles::open(options);
    CHECK(refused.status().code() == StatusCode::kUnavailable);
    CHECK(refused.status().message().find(dir) != std::string::npos);
  }
  options.dir = scratch.file("plain");
  CHECK(LogFiles::open(options).status().message() == options.dir + " is a file, not a folder");
  options.dir = scratch.file("logs");
  const auto files = open_files(options);
  CHECK(LogFiles::open(options).status().message().find("in use") != std::string::npos);
}

TEST_CASE("lines that cannot be written are counted, and writing goes on later", "[log_files]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.file("logs");
  const auto files = open_files(options);
  const auto now = system_clock::now();
  const fs::path file = options.dir + "/featherid-" + date(now) + ".log";
  fs::remove(file);
  fs::create_directory(file);  // nothing can be written there now
  files->reopen();
  log(*files, "lost", now);
  log(*files, "lost", now);
  CHECK(files->lines_lost() == 2);
  fs::remove(file);
  log(*files, "found", now);
  CHECK(files->lines_lost() == 2);
  CHECK(test::read_file(file.string()) == "2 log lines could not be written\nfound\n");
}

TEST_CASE("a removed folder is created again, and lost lines are counted", "[log_files][fault]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.file("logs");
  const auto files = open_files(options);
  const auto now = system_clock::now();
  log(*files, "before", now);
  fs::remove_all(options.dir);
  log(*files, "lost", now);
  log(*files, "found", now);
  CHECK(files->lines_lost() == 1);
  const std::string file = options.dir + "/featherid-" + date(now) + ".log";
  CHECK(test::read_file(file) == "1 log lines could not be written\nfound\n");
  // The writer owns the folder again.
  CHECK(LogFiles::open(options).status().message().find("in use") != std::string::npos);
}

namespace {

// A folder that is full after a few hundred KB, until it gets more room. Root gets a small file
// system that only this process sees. Other users get a limit on the size of a file.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& dir) : ballast_(dir + "/ballast") {
    fs::create_directories(dir);
    const bool mounted = ::unshare(CLONE_NEWNS) == 0 &&
                         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("tmpfs", dir.c_str(), "tmpfs", 0, "size=400k") == 0;
    if (mounted) {
      write_file(ballast_, std::string(200000, 'x'));
    } else {
      std::signal(SIGXFSZ, SIG_IGN);
      set_file_bytes_max(40000);
    }
  }
  void make_room() {
    fs::remove(ballast_);
    set_file_bytes_max(RLIM_INFINITY);
  }

 private:
  static void set_file_bytes_max(rlim_t bytes) {
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = std::min(bytes, limit.rlim_max);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

  const std::string ballast_;
};

// Fills the disk and continues when there is room again. Returns the failures, one bit each.
int fill_disk(const LogFilesOptions& options) {
  SmallDisk disk(options.dir);
  const auto files = open_files(options);
  const auto now = system_clock::now();
  std::set<std::string> sent;
  std::mt19937 random;  // lines that do not compress well
  const auto say = [&] {
    std::string line = std::to_string(sent.size()) + " ";
    while (line.size() < 900) line.push_back(static_cast<char>('!' + random() % 90));
    sent.insert(line);
    log(*files, line, now);
  };
  for (int i = 0; i < 2000 && files->lines_lost() < 10; ++i) say();
  const std::int64_t lost = files->lines_lost();
  disk.make_room();
  say();
  files->wait_until_tidy();
  std::size_t found = 0;
  std::size_t others = 0;
  std::int64_t noted = 0;  // a note may fit if a longer line does not, so there may be many
  for (const std::string& line : lines_in(options.dir)) {
    if (sent.erase(line) == 1) {
      ++found;
    } else if (line.find(" log lines could not be written") != std::string::npos) {
      noted += std::stoll(line);
    } else {
      ++others;  // torn, or there twice
    }
  }
  return (lost < 10 ? 1 : 0) | (files->lines_lost() != lost ? 2 : 0) | (noted != lost ? 4 : 0) |
         (sent.size() != static_cast<std::size_t>(lost) ? 8 : 0) | (others != 0 ? 16 : 0) |
         (found == 0 ? 32 : 0);
}

}  // namespace

TEST_CASE("a full disk drops lines and tears none, and writing goes on once it has room",
          "[log_files][fault]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.file("logs");
  options.backups_max = 1000;
  options.file_bytes_max = GENERATE(50000, 100000000);  // with and without rotation meanwhile
  CHECK(test::failures_in_fork([&] { return fill_disk(options); }) == 0);
}

TEST_CASE("no line is lost or doubled if the clock jumps over midnight and back",
          "[log_files][fault]") {
  const test::ScratchDir scratch;
  LogFilesOptions options;
  options.dir = scratch.file("logs");
  options.backups_max = 1000;
  const auto files = open_files(options);
  const auto today = system_clock::now();
  const auto tomorrow = today + hours(24);
  std::multiset<std::string> sent;
  const auto say = [&](system_clock::time_point when) {
    // A long one that takes time to compress, and one after it.
    for (const std::size_t length : {std::size_t{50000}, std::size_t{0}}) {
      const std::string line = std::to_string(sent.size()) + std::string(length, 'x');
      sent.insert(line);
      log(*files, line, when);
    }
  };
  // The day comes back while its files are compressed.
  for (int i = 0; i < 200; ++i) {
    say(today);
    if (i % 3 != 0) say(tomorrow);
    if (i % 10 == 0) files->wait_until_tidy();
  }
  files->wait_until_tidy();
  CHECK(files->lines_lost() == 0);
  CHECK(lines_in(options.dir) == sent);
}

TEST_CASE("log levels have the names of the API", "[log_files]") {
  for (const char* name : {"debug", "info", "warn", "error"}) {
    REQUIRE(parse_log_level(name));
    CHECK(log_level_name(*parse_log_level(name)) == name);
  }
  CHECK(!parse_log_level("trace"));
  CHECK(!parse_log_level(""));
}

}  // namespace featherid
