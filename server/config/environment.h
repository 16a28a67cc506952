// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONFIG_ENVIRONMENT_H_
#define FEATHERID_SERVER_CONFIG_ENVIRONMENT_H_

#include <map>
#include <string>

namespace featherid {

// Values by the name of the variable.
using Environment = std::map<std::string, std::string>;

// Those of this process.
Environment environment_variables();

// The setting that an unknown variable was probably meant for: FEATHERID_DATABASE,
// FEATHERID_DATABASE_FILE or FEATHERID_CONFIG. Null: none of them. docs/operating/configuration.md
// has the rule.
const char* meant_setting(const std::string& name, const std::string& text);

// Whether Kubernetes sets this variable for a service, or Docker for a link.
bool is_service_link(const std::string& name, const Environment& environment);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONFIG_ENVIRONMENT_H_
