// SPDX-License-Identifier: MIT
#include "cli/server_client.h"

#include <ctime>

#include "lib/store/http/api_answer.h"

namespace featherid {

Result<std::unique_ptr<ServerClient>> ServerClient::open(const RemoteServer& server,
                                                         const std::string& token,
                                                         std::chrono::seconds call_timeout) {
  HttpStoreOptions options;
  options.token = token;
  options.token_file = server.token_file;
  options.ca_file = server.ca_file;
  options.call_timeout = options.connect_timeout = call_timeout;
  Result<std::shared_ptr<ApiClient>> client = ApiClient::open(
      {server.url}, options, {"--server", "--server-ca", "--token-file or FEATHERID_TOKEN"});
  if (!client.ok()) return client.status();
  return std::unique_ptr<ServerClient>(new ServerClient(*std::move(client)));
}

Result<PeriodRanges> ServerClient::take(std::string_view tag, std::int64_t count_ids) {
  const Result<ApiClient::Answer> answer =
      client_->call({"GET",
                     "/api/v1/id/range",
                     {{"biz_tag", std::string(tag)}, {"count", std::to_string(count_ids)}, kExact},
                     ApiClient::Repeat::kNever,
                     {},
                     kAnswerBytesMax});
  if (!answer.ok()) return answer.status();
  const Result<Period> period =
      answer->period.empty() ? Result<Period>(Period()) : parse_period(answer->period);
  if (!period.ok()) return period.status();
  return read_data(answer->data, client_->url(answer->server), [&](const ApiClient::Json& data) {
    PeriodRanges taken;
    taken.period = *period;
    for (const ApiClient::Json& range : data) {
      const std::int64_t last = integer_at(range, "last");
      if (last > kIdMax) throw NotOfThisApi();
      taken.ranges.push_back({integer_at(range, "first"), last + 1});
    }
    return taken;
  });
}

Result<std::chrono::seconds> ServerClient::clock_ahead() {
  const Result<ApiClient::Answer> answer = client_->call({"GET", "/healthz", {}});
  if (!answer.ok()) return answer.status();
  std::tm parts{};
  if (::strptime(answer->date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) {
    return Status(StatusCode::kFailedPrecondition,
                  "the answer of " + client_->url(answer->server) + " has no Date");
  }
  return std::chrono::seconds(::timegm(&parts) - std::time(nullptr));
}

Status ServerClient::ready() { return client_->call({"GET", "/readyz", {}}).status(); }

}  // namespace featherid
