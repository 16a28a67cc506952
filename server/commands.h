// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_COMMANDS_H_
#define FEATHERID_SERVER_COMMANDS_H_

#include "featherid/tag_admin.h"
#include "server/config/config.h"

namespace featherid {

// What featherid-server does and then ends: --check-config, --init-schema and --advance.

// Whether `config` asks for one of them.
bool wants_command(const Config& config);

// Does it and prints the result. Returns the exit code.
int run_command(const Config& config, Store& store);

}  // namespace featherid

#endif  // FEATHERID_SERVER_COMMANDS_H_
