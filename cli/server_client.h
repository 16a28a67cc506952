// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_SERVER_CLIENT_H_
#define FEATHERID_CLI_SERVER_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "featherid/tag_admin.h"
#include "lib/store/http/api_client.h"
#include "server/config/config.h"

namespace featherid {

// A featherid-server as a program on another machine sees it: its HTTP API. An answer that does not
// come is kUnavailable, and a change may then have been made. No change is sent twice. Thread-safe.
class ServerClient final {
 public:
  // Reads the files that `server` names, and does not connect yet. `call_timeout`: of each call.
  // kInvalidArgument: a file cannot be used.
  static Result<std::unique_ptr<ServerClient>> open(const RemoteServer& server,
                                                    const std::string& token,
                                                    std::chrono::seconds call_timeout);

  // Takes ids, as few ranges as the server gives.
  Result<PeriodRanges> take(std::string_view tag, std::int64_t count_ids);
  // How far its clock is ahead of this machine's, to within two seconds and the time of the call.
  Result<std::chrono::seconds> clock_ahead();
  // Whether it can serve.
  Status ready();

  TagAdmin& tags() { return *tags_; }

 private:
  explicit ServerClient(std::shared_ptr<ApiClient> client)
      : client_(std::move(client)), tags_(make_http_store(client_, RecordedName::kToken)) {}

  const std::shared_ptr<ApiClient> client_;
  const std::unique_ptr<Store> tags_;
};

}  // namespace featherid

#endif  // FEATHERID_CLI_SERVER_CLIENT_H_
