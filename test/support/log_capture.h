// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_LOG_CAPTURE_H_
#define FEATHERID_TEST_SUPPORT_LOG_CAPTURE_H_

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

namespace featherid::test {

// What is logged while it lives. Lines come from one thread at a time.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", std::move(sink)));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  const std::shared_ptr<spdlog::logger> before_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_LOG_CAPTURE_H_
