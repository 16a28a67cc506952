// SPDX-License-Identifier: MIT
#include "server/console/page_routes.h"

#include <string>

namespace featherid {

namespace {

// The pages load nothing from other hosts and run only their own scripts, whatever a tag is called.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

constexpr std::string_view kFolder = "/console/";

const char* type_of(std::string_view name) {
  const std::string_view extension = name.substr(name.rfind('.') + 1);
  if (extension == "html") return "text/html; charset=utf-8";
  if (extension == "css") return "text/css; charset=utf-8";
  if (extension == "svg") return "image/svg+xml";
  return "text/javascript; charset=utf-8";
}

void serve_file(Exchange& exchange, const PageFile& file) {
  Reply& reply = exchange.reply;
  reply.content_type = type_of(file.name);
  reply.body = file.content;
  reply.headers.emplace_back("Content-Security-Policy", kPolicy);
  reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
  reply.headers.emplace_back("Referrer-Policy", "no-referrer");
}

}  // namespace

void add_page_routes(Router& router) {
  router.get("/console", Effect::kNone, [](Exchange& exchange) {
    exchange.reply.status = 308;
    exchange.reply.headers.emplace_back("Location", "/console/");
  });
  // One route, so that the metrics do not count each file.
  router.get("/console/*", Effect::kNone, [](Exchange& exchange) {
    const std::string_view name = exchange.request.path.substr(kFolder.size());
    for (const PageFile& file : page_files()) {
      const bool is_index = file.name == std::string_view("index.html");
      if (name == (is_index ? "" : file.name)) return serve_file(exchange, file);
    }
    exchange.reply.fail(404, ApiCode::kBadRequest, "there is no such path");
  });
}

}  // namespace featherid
