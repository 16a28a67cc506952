// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_TAG_COMMANDS_H_
#define FEATHERID_CLI_TAG_COMMANDS_H_

namespace featherid {

class CommandLine;

// init, next, tags, tag show|create|set|delete, advance, rewind.
void add_tag_commands(CommandLine& line);

}  // namespace featherid

#endif  // FEATHERID_CLI_TAG_COMMANDS_H_
