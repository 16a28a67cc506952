// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_IMPORT_H_
#define FEATHERID_CLI_IMPORT_H_

namespace featherid {

class CommandLine;

// import leaf|tinyid|cosid|column|sequence|max: moves tags past the ids that another program has
// handed out.
void add_import(CommandLine& line);

}  // namespace featherid

#endif  // FEATHERID_CLI_IMPORT_H_
