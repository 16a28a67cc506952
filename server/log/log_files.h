// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_LOG_LOG_FILES_H_
#define FEATHERID_SERVER_LOG_LOG_FILES_H_

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "featherid/status.h"
#include "lib/base/mutex.h"

namespace featherid {

struct LogFilesOptions {
  std::string dir;
  std::int64_t file_bytes_max = 100000000;
  int keep_days = 30;   // a day's files are removed after this many more days
  int backups_max = 5;  // per day, in addition to its main file
};

// Writes log lines to files. The file is featherid-YYYY-MM-DD.log by local date. When it is full,
// it is renamed to featherid-YYYY-MM-DD.N.log (N counts up). A separate thread compresses finished
// files with gzip and removes old ones. A line that cannot be written is counted and dropped. No
// line is written twice, whatever happens to the disk, the clock or the folder. Thread-safe.
class LogFiles final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Creates the folder if it is missing. kUnavailable: the folder cannot be written, or another
  // process logs there.
  static Result<std::shared_ptr<LogFiles>> open(const LogFilesOptions& options);
  ~LogFiles() override;  // leaves an unfinished compression to the next start

  // Call this after the file was moved. The next line or flush opens a new file. Does not block.
  void reopen() { reopen_ = true; }
  std::int64_t lines_lost() const { return lines_lost_; }

  // Returns once the thread has tidied all files that were finished before the call.
  void wait_until_tidy() EXCLUDES(tidy_mutex_);

 private:
  explicit LogFiles(const LogFilesOptions& options);

  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

  // Under base_sink's mutex.
  Status take_dir();
  Status open_file(std::time_t now);
  void ensure_open(std::time_t now);
  void close_file();
  void rotate();
  bool write(const spdlog::memory_buf_t& line);
  bool note_lost_lines(spdlog::log_clock::time_point time);

  void request_tidy() EXCLUDES(tidy_mutex_);
  void tidy_loop() EXCLUDES(tidy_mutex_);

  const LogFilesOptions options_;

  // Under base_sink's mutex.
  int lock_fd_ = -1;
  int fd_ = -1;
  std::string date_;
  std::time_t day_begin_ = 0;
  std::time_t day_end_ = 0;
  std::int64_t file_bytes_ = 0;
  bool has_finished_ = false;        // a file was finished since the last request to tidy
  std::int64_t lines_lost_now_ = 0;  // since the last written line

  std::atomic<std::int64_t> lines_lost_{0};
  std::atomic<bool> reopen_{false};
  std::atomic<bool> stopping_{false};

  Mutex tidy_mutex_;
  CondVar tidy_changed_;
  std::int64_t tidy_requested_ GUARDED_BY(tidy_mutex_) = 0;
  std::int64_t tidy_done_ GUARDED_BY(tidy_mutex_) = 0;
  std::thread tidy_thread_;
};

// One round of tidying `options.dir`. Finishes what a crash interrupted, compresses finished files,
// and removes files that are too many or too old. `writing` guards `today` (YYYY-MM-DD), the day
// whose main file is in use. Returns early once `stopping` is true.
void tidy_log_dir(const LogFilesOptions& options, std::mutex& writing, const std::string& today,
                  const std::atomic<bool>& stopping);

}  // namespace featherid

#endif  // FEATHERID_SERVER_LOG_LOG_FILES_H_
