// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_SECRET_FILE_RISK_H_
#define FEATHERID_LIB_BASE_SECRET_FILE_RISK_H_

#include <sys/stat.h>

#include <string>

namespace featherid {

// A warning if others than its owner can read the file; or empty, also if there is no file. The
// group may read a file of root, because that is how an administrator hands a secret to a service
// (PostgreSQL's rule for private keys).
inline std::string secret_file_risk(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  const mode_t readers = info.st_uid == 0 ? S_IROTH : S_IRGRP | S_IROTH;
  if ((info.st_mode & readers) == 0) return "";
  return path + " can be read by users other than its owner; run chmod " +
         (info.st_uid == 0 ? "640" : "600") + " on it";
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_SECRET_FILE_RISK_H_
