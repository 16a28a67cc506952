// SPDX-License-Identifier: MIT
#include "lib/base/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace featherid {

namespace {

constexpr std::size_t kBytesMax = 64 * 1024;

// A descriptor, closed at the end; -1: none.
class File {
 public:
  // A pipe that nobody writes to must not block the caller.
  explicit File(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Reads up to one byte more than allowed; false: an error.
bool read_all(int fd, std::string* text) {
  text->resize(kBytesMax + 1);
  std::size_t size = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, text->data() + size, text->size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  } while (got > 0 || (got < 0 && errno == EINTR));
  text->resize(size);
  return got == 0;
}

}  // namespace

Result<std::string> read_secret_file(const std::string& path, bool several_lines) {
  const auto refused = [&path](StatusCode code, const std::string& why) {
    return Status(code, "the file " + path + " " + why);
  };
  const auto cannot = [&](int error) {
    const bool passes = error == ENOENT || error == EMFILE || error == ENFILE || error == EIO;
    return refused(passes ? StatusCode::kUnavailable : StatusCode::kFailedPrecondition,
                   "cannot be read (" + std::generic_category().message(error) +
                       "); make sure that it exists and that this user may read it");
  };
  const File file(path);
  if (file.fd() < 0) return cannot(errno);
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) return cannot(errno);
  if (!S_ISREG(info.st_mode)) {
    return refused(StatusCode::kFailedPrecondition,
                   "is not a regular file; name one, because it is read repeatedly");
  }
  std::string text;
  if (!read_all(file.fd(), &text)) return cannot(errno);
  if (text.size() > kBytesMax) {
    return refused(StatusCode::kFailedPrecondition, "is larger than 64 KiB; name the right file");
  }
  for (const char end : {'\n', '\r'}) {
    if (!text.empty() && text.back() == end) text.pop_back();
  }
  if (text.empty()) return refused(StatusCode::kUnavailable, "is empty");
  const bool plain = std::none_of(text.begin(), text.end(), [several_lines](unsigned char c) {
    const bool ends_line = c == '\n' || c == '\r';
    return (c < 0x20 || c == 0x7F) && !(several_lines && ends_line);
  });
  if (!plain) {
    return refused(StatusCode::kFailedPrecondition,
                   several_lines ? "contains a control character" : "contains more than one line");
  }
  return text;
}

}  // namespace featherid
