// SPDX-License-Identifier: MIT
#include "server/ops/descriptor_limit.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "server/net/net_server.h"

namespace featherid {

NetOptions within_descriptor_limit(NetOptions options) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return options;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const int within = NetServer::connections_within(limit.rlim_max);
  if (within < options.connections_max) {
    spdlog::warn("--max-connections {} is lowered to {}, because the limit of open files is {}",
                 options.connections_max, within, limit.rlim_max);
    options.connections_max = within;
  }
  return options;
}

}  // namespace featherid
