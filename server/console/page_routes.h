// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONSOLE_PAGE_ROUTES_H_
#define FEATHERID_SERVER_CONSOLE_PAGE_ROUTES_H_

#include <string_view>
#include <vector>

#include "server/http/router.h"

namespace featherid {

// One file of server/console/web, which the build compiles into the program.
struct PageFile {
  const char* name;  // "console.js"
  std::string_view content;
};
const std::vector<PageFile>& page_files();

// GET /console/ and its files; GET /console leads there.
void add_page_routes(Router& router);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONSOLE_PAGE_ROUTES_H_
