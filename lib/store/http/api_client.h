// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_HTTP_API_CLIENT_H_
#define FEATHERID_LIB_STORE_HTTP_API_CLIENT_H_

#include <cstddef>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "featherid/http_store.h"
#include "featherid/internal/export.h"
#include "lib/store/http_client/http_servers.h"

namespace featherid {

// Calls of the HTTP API of featherid-servers, and what an answer means. Exported for the command
// `featherid`. Thread-safe.
class FEATHERID_EXPORT ApiClient {
 public:
  using Json = nlohmann::json;
  using Parameters = std::vector<std::pair<const char*, std::string>>;

  using Repeat = HttpServers::Repeat;
  struct Call {
    const char* method;
    std::string path;
    Parameters parameters;
    Repeat repeat = Repeat::kNever;
    std::optional<std::size_t> only_server = {};
    std::size_t answer_bytes_max = kOneTagBytesMax;
  };
  struct Answer;

  // No answer about one tag is larger.
  static constexpr std::size_t kOneTagBytesMax = std::size_t{64} << 10;

  using Words = HttpWords;

  // As open_http_store().
  static Result<std::shared_ptr<ApiClient>> open(const std::vector<std::string>& addresses,
                                                 const HttpStoreOptions& options,
                                                 const Words& words);
  ~ApiClient();
  ApiClient(const ApiClient&) = delete;
  ApiClient& operator=(const ApiClient&) = delete;

  // The answer's `data`, or the error that the server reports. Blocks for up to call_timeout.
  Result<Answer> call(const Call& call);

  const std::string& url(std::size_t server) const;

 private:
  struct FEATHERID_LOCAL Impl;
  explicit ApiClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Who the record of a tag says made a change through a store.
enum class RecordedName {
  kCaller,  // as the caller of the store says
  kToken,   // the name of the token, as the server has it; older servers know only that
};

// A store over it: its calls and those of the store share their connections.
FEATHERID_EXPORT std::unique_ptr<Store> make_http_store(std::shared_ptr<ApiClient> client,
                                                        RecordedName name);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_HTTP_API_CLIENT_H_
