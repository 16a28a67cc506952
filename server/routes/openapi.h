// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_ROUTES_OPENAPI_H_
#define FEATHERID_SERVER_ROUTES_OPENAPI_H_

namespace featherid {

// The text of openapi.json, which the build compiles into the program.
extern const char* const kOpenapi;

}  // namespace featherid

#endif  // FEATHERID_SERVER_ROUTES_OPENAPI_H_
