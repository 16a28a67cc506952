// SPDX-License-Identifier: MIT
#include "server/log/log_files.h"

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
constexpr std::string_view kCompressing = ".log.compressing";  // a file that is being compressed
constexpr std::string_view kHalfCompressed = ".log.gz.tmp";    // its compressed copy so far
constexpr std::string_view kLock = "featherid.lock";
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

// The number of days from 1970 to a YYYY-MM-DD; nothing if there is no such day.
std::optional<int> day_number(const std::string& date) {
  std::tm day{};
  if (::strptime(date.c_str(), "%Y-%m-%d", &day) == nullptr) return std::nullopt;
  const std::time_t seconds = ::timegm(&day);  // also turns February 30 into March
  if (date_of(day) != date) return std::nullopt;
  return static_cast<int>(seconds / (24 * 60 * 60));
}

// The parts of a file name; nothing if the file is not one of ours.
std::optional<LogFile> parse_name(std::string_view name) {
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  LogFile file;
  file.date = name.substr(0, kDateBytes);
  if (!day_number(file.date)) return std::nullopt;
  name.remove_prefix(kDateBytes);
  if (name.size() > 1 && name[1] >= '1' && name[1] <= '9') {
    const auto [stop, error] =
        std::from_chars(name.data() + 1, name.data() + name.size(), file.backup);
    if (error != std::errc()) return std::nullopt;
    name.remove_prefix(static_cast<std::size_t>(stop - name.data()));
  }
  for (const std::string_view ending : {kFinished, kCompressed, kCompressing, kHalfCompressed}) {
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

// Writes `from`, compressed, to `to`. False if that failed or was stopped.
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

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// Renames a finished file, so that the writer does not use it again. The new name tells after a
// crash what remains to be done, and no compressed file has it yet. Nothing if the file is in use.
std::optional<LogFile> claim(const fs::path& dir, LogFile file, std::mutex& writing,
                             const std::string& today) {
  const std::string from = file.name();
  // If the clock goes back, the writer opens the file of an earlier day again. The lock prevents
  // that during this check.
  const std::lock_guard<std::mutex> lock(writing);
  if (file.date > today || (file.date == today && file.backup == 0)) return std::nullopt;
  const auto is_taken = [&dir, &file](std::string_view ending) {
    file.ending = ending;
    return is_there(dir / file.name());
  };
  if (is_taken(kCompressed) || is_taken(kCompressing)) file.backup = next_backup(dir, file.date);
  file.ending = kCompressing;
  std::error_code error;
  fs::rename(dir / from, dir / file.name(), error);
  if (error) return std::nullopt;
  return file;
}

void compress(const fs::path& dir, LogFile file, const std::atomic<bool>& stopping) {
  const fs::path from = dir / file.name();
  file.ending = kCompressed;
  const fs::path to = dir / file.name();
  file.ending = kHalfCompressed;
  const fs::path half = dir / file.name();
  // If the result already exists, a crash came just before its source was removed.
  if (!is_there(to)) {
    if (!write_gzip(from, half, stopping)) return remove_file(half);
    std::error_code error;
    fs::rename(half, to, error);
    if (error) return;
  }
  remove_file(from);
}

}  // namespace

void tidy_log_dir(const LogFilesOptions& options, std::mutex& writing, const std::string& today,
                  const std::atomic<bool>& stopping) {
  const fs::path dir(options.dir);
  int oldest_kept = 0;
  {
    const std::lock_guard<std::mutex> lock(writing);
    oldest_kept = day_number(today).value_or(0) - options.keep_days;
  }
  std::map<std::string, std::vector<LogFile>> backups;  // by day
  std::vector<LogFile> sources;
  for (const LogFile& file : list_files(options.dir)) {
    if (*day_number(file.date) < oldest_kept || file.ending == kHalfCompressed) {
      remove_file(dir / file.name());
      continue;
    }
    if (file.backup > 0) backups[file.date].push_back(file);
    if (file.ending != kCompressed) sources.push_back(file);
  }
  for (auto& [date, files] : backups) {
    std::sort(files.begin(), files.end(),
              [](const LogFile& a, const LogFile& b) { return a.backup > b.backup; });
    for (std::size_t i = static_cast<std::size_t>(options.backups_max); i < files.size(); ++i) {
      remove_file(dir / files[i].name());
    }
  }
  for (const LogFile& file : sources) {
    if (stopping) return;
    if (!is_there(dir / file.name())) continue;
    if (file.ending == kCompressing) {
      compress(dir, file, stopping);
    } else if (const auto claimed = claim(dir, file, writing, today)) {
      compress(dir, *claimed, stopping);
    }
  }
}

LogFiles::LogFiles(const LogFilesOptions& options) : options_(options) {}

Result<std::shared_ptr<LogFiles>> LogFiles::open(const LogFilesOptions& options) {
  std::shared_ptr<LogFiles> files(new LogFiles(options));
  if (Status bad = files->take_dir(); !bad.ok()) return bad;
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

Status LogFiles::take_dir() {
  std::error_code error;
  if (fs::exists(options_.dir, error) && !fs::is_directory(options_.dir, error)) {
    return {StatusCode::kUnavailable, options_.dir + " is a file, not a folder"};
  }
  fs::create_directories(options_.dir, error);
  if (error) {
    return {StatusCode::kUnavailable, "cannot create " + options_.dir + ": " + error.message()};
  }
  if (lock_fd_ >= 0) ::close(lock_fd_);
  const std::string path = (fs::path(options_.dir) / kLock).string();
  lock_fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd_ < 0) {
    return {StatusCode::kUnavailable,
            "cannot write " + path + ": " + std::generic_category().message(errno)};
  }
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return {StatusCode::kUnavailable,
            options_.dir + " is in use by another server; give each server its own folder"};
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

void LogFiles::rotate() {
  const fs::path dir(options_.dir);
  std::error_code error;
  fs::rename(dir / LogFile{date_, 0, kFinished}.name(),
             dir / LogFile{date_, next_backup(options_.dir, date_), kFinished}.name(), error);
  close_file();
}

// False if the line is lost.
bool LogFiles::write(const spdlog::memory_buf_t& line) {
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = ::write(fd_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  file_bytes_ += static_cast<std::int64_t>(done);
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return false;
  if (done < line.size()) {
    // The disk accepted only a part, but only whole lines may stay.
    if (done > 0) static_cast<void>(!::ftruncate(fd_, info.st_size - static_cast<off_t>(done)));
    return false;
  }
  // If somebody has removed the file, nobody sees what was written to it.
  return info.st_nlink > 0;
}

bool LogFiles::note_lost_lines(spdlog::log_clock::time_point time) {
  if (lines_lost_now_ == 0) return true;
  const std::string text = std::to_string(lines_lost_now_) + " log lines could not be written";
  spdlog::memory_buf_t line;
  formatter_->format({time, {}, {}, spdlog::level::warn, text}, line);
  if (!write(line)) return false;
  lines_lost_now_ = 0;
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
    has_finished_ = true;
  }
  ensure_open(now);
  if (fd_ >= 0 && note_lost_lines(message.time) && write(line)) return;
  close_file();
  ++lines_lost_now_;
  ++lines_lost_;
}

void LogFiles::ensure_open(std::time_t now) {
  if (reopen_.exchange(false)) close_file();
  if (fd_ >= 0) return;
  // If the folder was removed, so was the lock that keeps other servers out of it.
  if (!is_there(fs::path(options_.dir) / kLock) && !take_dir().ok()) return;
  if (!open_file(now).ok()) return close_file();
  if (has_finished_) request_tidy();
  has_finished_ = false;
}

// Every line is written at once. But after reopen(), the new file should not wait for the next
// line.
void LogFiles::flush_() { ensure_open(std::time(nullptr)); }

// --- tidying ---

void LogFiles::request_tidy() {
  const MutexLock lock(tidy_mutex_);
  ++tidy_requested_;
  tidy_changed_.notify_all();
}

void LogFiles::tidy_loop() {
  for (;;) {
    std::int64_t request = 0;
    {
      const MutexLock lock(tidy_mutex_);
      while (tidy_done_ == tidy_requested_ && !stopping_) tidy_changed_.wait(tidy_mutex_);
      if (stopping_) return;
      request = tidy_requested_;
    }
    tidy_log_dir(options_, mutex_, date_, stopping_);
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
