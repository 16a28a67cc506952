// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_ENVIRONMENT_H_
#define FEATHERID_SERVER_ENVIRONMENT_H_

#include <map>
#include <string>

namespace featherid {

// Variables by their names.
using Environment = std::map<std::string, std::string>;

// Which variable somebody may have meant who set another one, which is no setting:
// FEATHERID_DATABASE, FEATHERID_CONFIG, or null for neither. A name is meant for the database if it
// has to do with FeatherID and with a database, each in any case and order and with slips of the
// pen, or if its text is the address of one; docs/operating.md has the rule.
const char* meant_setting(const std::string& name, const std::string& text);

// Whether Kubernetes, or Docker for a link, sets this variable by itself, as it does for every
// service by the service's name.
bool is_service_link(const std::string& name, const Environment& environment);

}  // namespace featherid

#endif  // FEATHERID_SERVER_ENVIRONMENT_H_
