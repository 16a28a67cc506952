// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_DOCTOR_H_
#define FEATHERID_CLI_DOCTOR_H_

namespace featherid {

class CommandLine;

// doctor: reports what could lose or stop ids in this installation.
void add_doctor(CommandLine& line);

}  // namespace featherid

#endif  // FEATHERID_CLI_DOCTOR_H_
