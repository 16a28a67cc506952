// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_TERMINAL_H_
#define FEATHERID_SERVER_TERMINAL_H_

#include <string>
#include <string_view>

namespace featherid {

// What the program prints outside the log. Nobody may read it, so a write waits a second at most.

// Opens the standard descriptors that are closed. Otherwise a file or a client's socket would get
// their number, and would receive what is written to them. Call this first.
void open_standard_descriptors();

// Writes to standard output.
void print(std::string_view text);

// Writes one line to standard error.
void print_error(const std::string& message);

// Prints the error and returns the exit code.
int fail(int exit_code, const std::string& message);

}  // namespace featherid

#endif  // FEATHERID_SERVER_TERMINAL_H_
