// SPDX-License-Identifier: MIT
#include "server/log_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace featherid {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "featherid-";
constexpr std::string_view kFinished = ".log";
constexpr std::string_view kCompressed = ".log.gz";
constexpr std::string_view kHalfCompressed = ".log.gz.tmp";
constexpr std::size_t kDateBytes = 10;  // YYYY-MM-DD

struct LogFile {
  std::string date;
  int backup = 0;  // 0: the day's main file
  std::string_view ending;

  std::string name() const {
    std::string text(kPrefix);
    text += date;
    if (backup > 0) text += "." + std::to_string(backup);
    return text.append(ending);
  }
};

std::string date_of(const std::tm& day) {
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d", &day);
  return {text.data(), length};
}

bool is_date(std::string_view text) {
  if (text.size() != kDateBytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if ((i == 4 || i == 7) ? text[i] != '-' : !digit) return false;
  }
  return true;
}

// What a name says; nothing for a file of somebody else.
std::optional<LogFile> parse_name(std::string_view name) {
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  LogFile file;
  file.date = name.substr(0, kDateBytes);
  if (!is_date(file.date)) return std::nullopt;
  name.remove_prefix(kDateBytes);
  if (name.size() > 1 && name[1] >= '1' && name[1] <= '9') {
    const auto [stop, error] =
        std::from_chars(name.data() + 1, name.data() + name.size(), file.backup);
    if (error != std::errc()) return std::nullopt;
    name.remove_prefix(static_cast<std::size_t>(stop - name.data()));
  }
  for (const std::string_view ending : {kFinished, kCompressed, kHalfCompressed}) {
    if (name == ending) {
      file.ending = ending;
      return file;
    }
  }
  return std::nullopt;
}

std::vector<LogFile> list_files(const std::string& dir) {
  std::vector<LogFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(dir, error), end; !error && entry != end;
       entry.increment(error)) {
    if (auto file = parse_name(entry->path().filename().string())) files.push_back(*file);
  }
  return files;
}

int next_backup(const std::string& dir, const std::string& date) {
  int last = 0;
  for (const LogFile& file : list_files(dir)) {
    if (file.date == date) last = std::max(last, file.backup);
  }
  return last + 1;
}

void remove_file(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

// Copies `from` compressed into `to`; false when that did not succeed or was stopped.
bool write_gzip(const fs::path& from, const fs::path& to, const std::atomic<bool>& stopping) {
  std::FILE* in = std::fopen(from.c_str(), "rb");
  if (in == nullptr) return false;
  gzFile out = ::gzopen(to.c_str(), "wb");
  bool good = out != nullptr;
  std::array<char, 64 * 1024> chunk;
  while (good && !stopping) {
    const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), in);
    if (size == 0) break;
    good = ::gzwrite(out, chunk.data(), static_cast<unsigned>(size)) == static_cast<int>(size);
  }
  good = good && std::ferror(in) == 0 && !stopping;
  std::fclose(in);
  if (out != nullptr && ::gzclose(out) != Z_OK) good = false;
  return good;
}

void compress(const std::string& dir, LogFile file, const std::atomic<bool>& stopping) {
  std::error_code error;
  LogFile target = file;
  target.ending = kCompressed;
  if (fs::exists(fs::path(dir) / target.name(), error)) {
    // A crash came between two steps, or the clock went back. Lines twice are better than lines
    // lost.
    LogFile renamed = file;
    renamed.backup = target.backup = next_backup(dir, file.date);
    fs::rename(fs::path(dir) / file.name(), fs::path(dir) / renamed.name(), error);
    if (error) return;
    file = renamed;
  }
  LogFile half = target;
  half.ending = kHalfCompressed;
  const fs::path half_path = fs::path(dir) / half.name();
  if (!write_gzip(fs::path(dir) / file.name(), half_path, stopping)) return remove_file(half_path);
  fs::rename(half_path, fs::path(dir) / target.name(), error);
  if (!error) remove_file(fs::path(dir) / file.name());
}

// Days since a fixed day of long ago, in the calendar that counts its years from March, so that the
// odd day of a leap year comes last.
int day_number(const std::string& date) {
  const auto number = [&date](std::size_t at, std::size_t length) {
    int value = 0;
    std::from_chars(date.data() + at, date.data() + at + length, value);
    return value;
  };
  const int month = (number(5, 2) + 9) % 12;
  const int year = number(0, 4) - month / 10;
  return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + number(8, 2);
}

}  // namespace

void tidy_log_dir(const LogFilesOptions& options, const std::string& today,
                  const std::atomic<bool>& stopping) {
  const fs::path dir(options.dir);
  const int oldest_kept = day_number(today) - options.keep_days;
  std::map<std::string, std::vector<LogFile>> backups;  // by day
  std::vector<LogFile> finished;
  for (const LogFile& file : list_files(options.dir)) {
    if (day_number(file.date) < oldest_kept || file.ending == kHalfCompressed) {
      remove_file(dir / file.name());
      continue;
    }
    if (file.backup > 0) backups[file.date].push_back(file);
    // Not what is of a later day: midnight may have passed since the caller looked at the date.
    if (file.ending == kFinished &&
        (file.date < today || (file.date == today && file.backup > 0))) {
      finished.push_back(file);
    }
  }
  for (auto& [date, files] : backups) {
    std::sort(files.begin(), files.end(),
              [](const LogFile& a, const LogFile& b) { return a.backup > b.backup; });
    for (std::size_t i = static_cast<std::size_t>(options.backups_max); i < files.size(); ++i) {
      remove_file(dir / files[i].name());
    }
  }
  for (const LogFile& file : finished) {
    if (stopping) return;
    std::error_code error;
    if (fs::exists(dir / file.name(), error)) compress(options.dir, file, stopping);
  }
}

LogFiles::LogFiles(const LogFilesOptions& options) : options_(options) {}

Result<std::shared_ptr<LogFiles>> LogFiles::open(const LogFilesOptions& options) {
  std::shared_ptr<LogFiles> files(new LogFiles(options));
  std::error_code error;
  fs::create_directories(options.dir, error);
  if (error) {
    return Status(StatusCode::kUnavailable, "cannot make " + options.dir + ": " + error.message());
  }
  if (Status bad = files->lock_dir(); !bad.ok()) return bad;
  if (Status bad = files->open_file(std::time(nullptr)); !bad.ok()) return bad;
  files->tidy_thread_ = std::thread([raw = files.get()] { raw->tidy_loop(); });
  files->request_tidy();
  return files;
}

LogFiles::~LogFiles() {
  stopping_ = true;
  if (tidy_thread_.joinable()) {
    {
      const MutexLock lock(tidy_mutex_);
      tidy_changed_.notify_all();
    }
    tidy_thread_.join();
  }
  close_file();
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Status LogFiles::lock_dir() {
  const std::string path = (fs::path(options_.dir) / "featherid.lock").string();
  lock_fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd_ < 0) {
    return {StatusCode::kUnavailable,
            "cannot write " + path + ": " + std::generic_category().message(errno)};
  }
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return {StatusCode::kUnavailable,
            options_.dir + " is in use by another server; give each its own"};
  }
  return {};
}

Status LogFiles::open_file(std::time_t now) {
  std::tm day{};
  ::localtime_r(&now, &day);
  date_ = date_of(day);
  day.tm_hour = day.tm_min = day.tm_sec = 0;
  day.tm_isdst = -1;
  std::tm next = day;
  next.tm_mday += 1;
  day_begin_ = std::mktime(&day);
  day_end_ = std::mktime(&next);

  const std::string path = (fs::path(options_.dir) / LogFile{date_, 0, kFinished}.name()).string();
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  struct stat info {};
  if (fd_ < 0 || ::fstat(fd_, &info) != 0) {
    return {StatusCode::kUnavailable,
            "cannot write " + path + ": " + std::generic_category().message(errno)};
  }
  file_bytes_ = info.st_size;
  return {};
}

void LogFiles::close_file() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void LogFiles::reopen() {
  const std::lock_guard<std::mutex> lock(mutex_);
  close_file();  // the next line or flush opens it
}

void LogFiles::rotate() {
  const fs::path dir(options_.dir);
  std::error_code error;
  fs::rename(dir / LogFile{date_, 0, kFinished}.name(),
             dir / LogFile{date_, next_backup(options_.dir, date_), kFinished}.name(), error);
  close_file();
}

bool LogFiles::write(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd_, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= static_cast<std::size_t>(written);
    file_bytes_ += written;
  }
  return true;
}

void LogFiles::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  const std::time_t now = std::chrono::system_clock::to_time_t(message.time);
  const auto size = static_cast<std::int64_t>(line.size());
  const bool other_day = now < day_begin_ || now >= day_end_;
  const bool full = file_bytes_ > 0 && file_bytes_ + size > options_.file_bytes_max;
  if (fd_ >= 0 && (other_day || full)) {
    other_day ? close_file() : rotate();
  }
  ensure_open(now);
  if (fd_ >= 0 && lines_lost_now_ > 0) {
    const std::string note = std::to_string(lines_lost_now_) + " log lines could not be written\n";
    if (write(note.data(), note.size())) lines_lost_now_ = 0;
  }
  if (fd_ >= 0 && write(line.data(), line.size())) return;
  close_file();
  ++lines_lost_now_;
  ++lines_lost_;
}

void LogFiles::ensure_open(std::time_t now) {
  if (fd_ < 0 && open_file(now).ok()) request_tidy();
}

// Every line is written as it comes; but after reopen() the new file should not wait for one.
void LogFiles::flush_() { ensure_open(std::time(nullptr)); }

// --- tidying ---

void LogFiles::request_tidy() {
  const MutexLock lock(tidy_mutex_);
  tidy_date_ = date_;
  ++tidy_requested_;
  tidy_changed_.notify_all();
}

void LogFiles::tidy_loop() {
  for (;;) {
    std::string date;
    std::int64_t request = 0;
    {
      const MutexLock lock(tidy_mutex_);
      while (tidy_done_ == tidy_requested_ && !stopping_) tidy_changed_.wait(tidy_mutex_);
      if (stopping_) return;
      request = tidy_requested_;
      date = tidy_date_;
    }
    tidy_log_dir(options_, date, stopping_);
    const MutexLock lock(tidy_mutex_);
    tidy_done_ = request;
    tidy_changed_.notify_all();
  }
}

void LogFiles::wait_until_tidy() {
  const MutexLock lock(tidy_mutex_);
  const std::int64_t request = tidy_requested_;
  while (tidy_done_ < request) tidy_changed_.wait(tidy_mutex_);
}

}  // namespace featherid
