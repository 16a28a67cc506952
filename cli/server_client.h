// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_SERVER_CLIENT_H_
#define FEATHERID_CLI_SERVER_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/tag_admin.h"
#include "server/config/config.h"

namespace httplib {
class Client;
}

namespace featherid {

// A featherid-server as a program on another machine sees it: its HTTP API. An answer that does not
// come is kUnavailable, and a change may then have been made. No call is sent twice. Not
// thread-safe.
class ServerClient final : public TagAdmin {
 public:
  // Reads the files that `server` names, and does not connect yet. `call_timeout`: of each call.
  // kInvalidArgument: a file cannot be used.
  static Result<std::unique_ptr<ServerClient>> open(const RemoteServer& server, std::string token,
                                                    std::chrono::seconds call_timeout);
  ~ServerClient() override;

  // Takes ids, as few ranges as the server gives.
  Result<PeriodRanges> take(std::string_view tag, std::int64_t count_ids);
  // How far its clock is ahead of this machine's, to within two seconds and the time of the call.
  Result<std::chrono::seconds> clock_ahead();

  Result<std::vector<TagInfo>> list(const TagQuery& query = {}) override;
  Result<TagInfo> info(std::string_view tag) override;
  Status create(std::string_view tag, const NewTag& tag_to_make) override;
  Status update(std::string_view tag, const TagChange& change) override;
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by) override;
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by) override;
  Status remove(std::string_view tag, std::string_view by) override;
  Status probe() override;

 private:
  using Parameters = std::multimap<std::string, std::string>;
  struct Answer;

  ServerClient(const std::string& url, std::unique_ptr<httplib::Client> client);
  // The answer's `data`, or the error that the server reports.
  Result<Answer> call(const char* method, const std::string& path, const Parameters& parameters);

  const std::string url_;
  const std::unique_ptr<httplib::Client> client_;
};

}  // namespace featherid

#endif  // FEATHERID_CLI_SERVER_CLIENT_H_
