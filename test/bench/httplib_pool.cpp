// SPDX-License-Identifier: MIT
// featherid_bench_httplib_pool PORT THREADS   serves ids as featherid-server would if cpp-httplib
// drove the sockets: by its own pool, with a thread for each connection.
#include <httplib.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "featherid/memory_store.h"
#include "featherid/segment_allocator.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: featherid_bench_httplib_pool PORT THREADS\n";
    return 2;
  }
  const auto threads = static_cast<std::size_t>(std::stoul(argv[2]));
  auto store = std::make_unique<featherid::MemoryStore>();
  constexpr std::int64_t kFirstIds = 1'000'000'000'000;  // as many digits as the others' ids
  if (!store->create("order", 10'000'000).ok() || !store->advance("order", kFirstIds).ok())
    return 1;
  featherid::SegmentAllocator ids(std::move(store));

  httplib::Server server;
  server.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
  server.set_keep_alive_max_count(SIZE_MAX);
  server.set_keep_alive_timeout(75);
  server.set_tcp_nodelay(true);
  server.Get("/api/v1/id", [&ids](const httplib::Request& request, httplib::Response& response) {
    const auto id = ids.next_id(request.get_param_value("biz_tag"));
    response.status = id.ok() ? 200 : 503;
    response.set_content(id.ok()
                             ? R"({"code":0,"msg":"success","data":)" + std::to_string(*id) + "}"
                             : R"({"code":2,"msg":"no ids","data":null})",
                         "application/json");
  });
  return server.listen("127.0.0.1", std::stoi(argv[1])) ? 0 : 1;
}
