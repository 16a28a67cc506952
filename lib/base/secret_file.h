// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_SECRET_FILE_H_
#define FEATHERID_LIB_BASE_SECRET_FILE_H_

#include <string>

#include "featherid/internal/export.h"
#include "featherid/status.h"

namespace featherid {

// The text of a file that holds a secret, without the newline at its end. kFailedPrecondition names
// the file and what to do: it is not a regular file, may not be read, is larger than 64 KiB, or
// contains a control character (`several_lines`: other than those that end lines). kUnavailable: it
// is missing or empty, perhaps because it is just being replaced. No message shows its contents.
// Exported, because the libraries beside the core use it.
FEATHERID_EXPORT Result<std::string> read_secret_file(const std::string& path,
                                                      bool several_lines = false);

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_SECRET_FILE_H_
