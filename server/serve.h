// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_SERVE_H_
#define FEATHERID_SERVER_SERVE_H_

#include <memory>

#include "featherid/tag_admin.h"
#include "server/config/config.h"
#include "server/log/log_files.h"
#include "server/signals.h"

namespace featherid {

// Builds the parts of the server and serves until a signal ends it. Unused ids then go back to the
// store. `log_files` may be null. Returns the exit code.
int serve(const Config& config, const Signals::ReadConfig& read_again,
          const std::shared_ptr<Store>& store, const std::shared_ptr<LogFiles>& log_files);

}  // namespace featherid

#endif  // FEATHERID_SERVER_SERVE_H_
