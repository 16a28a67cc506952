// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_REPLACE_FILE_H_
#define FEATHERID_TEST_SUPPORT_REPLACE_FILE_H_

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace featherid::test {

// As a tool that rotates secrets does it: a reader sees the old text or the new one, never a part.
inline void replace_file(const std::string& file, const std::string& text) {
  const std::string next = file + ".new";
  std::ofstream out(next);
  if (!(out << text << std::flush) || ::chmod(next.c_str(), 0600) != 0) {
    throw std::runtime_error("cannot write " + next);
  }
  std::filesystem::rename(next, file);
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_REPLACE_FILE_H_
