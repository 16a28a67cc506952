// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_SECRET_FILE_RISK_H_
#define FEATHERID_LIB_BASE_SECRET_FILE_RISK_H_

#include <sys/stat.h>

#include <string>

namespace featherid {

// A warning if users other than its owner can read the file; or empty, also if there is no file.
inline std::string secret_file_risk(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & (S_IRGRP | S_IROTH)) == 0) return "";
  return path + " can be read by users other than its owner; run chmod 600 on it";
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_SECRET_FILE_RISK_H_
