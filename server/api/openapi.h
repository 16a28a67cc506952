// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_API_OPENAPI_H_
#define FEATHERID_SERVER_API_OPENAPI_H_

#include "server/http/router.h"

namespace featherid {

// The text of openapi.json, which the build compiles into the program.
extern const char* const kOpenapi;

// GET /openapi.json
void add_openapi_route(Router& router);

}  // namespace featherid

#endif  // FEATHERID_SERVER_API_OPENAPI_H_
