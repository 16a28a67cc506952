// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_MAN_PAGE_H_
#define FEATHERID_CLI_MAN_PAGE_H_

#include <CLI/CLI.hpp>
#include <string>

namespace featherid {

// The man page of a program, in roff. The footer of its help is the section NOTES.
std::string man_page(const CLI::App& app);

}  // namespace featherid

#endif  // FEATHERID_CLI_MAN_PAGE_H_
