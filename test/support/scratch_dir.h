// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_SCRATCH_DIR_H_
#define FEATHERID_TEST_SUPPORT_SCRATCH_DIR_H_

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

namespace featherid::test {

// A folder that is removed with the object. Others may enter it, because a server may run as
// another user.
class ScratchDir {
 public:
  ScratchDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "featherid-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr || ::chmod(pattern.c_str(), 0755) != 0) {
      throw std::runtime_error("cannot make a scratch folder " + pattern);
    }
    path_ = pattern;
  }
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_SCRATCH_DIR_H_
