// SPDX-License-Identifier: MIT
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "featherid/period.h"
#include "test/system/campaign/client.h"

namespace featherid::campaign {

namespace {

std::string target_of(const Question& question, const std::string& tag) {
  const std::string count = "&count=" + std::to_string(question.count_ids);
  switch (question.kind) {
    case Question::kOne:
      return "/api/v1/id?biz_tag=" + tag;
    case Question::kBatch:
      return "/api/v1/id/batch?biz_tag=" + tag + count;
    case Question::kRange:
      return "/api/v1/id/range?biz_tag=" + tag + count;
  }
  return "";
}

std::vector<IdRange> ids_in(const nlohmann::json& data) {
  std::vector<IdRange> ids;
  if (data.is_number()) return {{data, data.get<std::int64_t>() + 1}};
  for (std::size_t i = 0; i < data.size();) {
    if (data[i].is_object()) {
      ids.push_back({data[i].at("first"), data[i].at("last").get<std::int64_t>() + 1});
      ++i;
      continue;
    }
    const auto first = data[i].get<std::int64_t>();
    std::int64_t end = first;
    for (; i < data.size() && data[i] == end; ++i) ++end;
    ids.push_back({first, end});
  }
  return ids;
}

class HttpAsker final : public Asker {
 public:
  Answer ask(Address address, const Question& question, const std::string& tag) override {
    if (!client_ || address.life != life_) {
      client_.emplace("127.0.0.1", address.port);
      client_->set_keep_alive(true);
      client_->set_tcp_nodelay(true);
      client_->set_connection_timeout(kTimeout);
      client_->set_read_timeout(kTimeout);
      life_ = address.life;
    }
    const httplib::Result answer = client_->Get(target_of(question, tag));
    if (!answer) return {};
    if (answer->status != 200) return {{}, static_cast<std::uint16_t>(answer->status)};
    const nlohmann::json body = nlohmann::json::parse(answer->body);
    const bool in_period = body.contains("period");
    const int period = in_period ? parse_period(body.at("period").get<std::string>())->number() : 0;
    return {ids_in(body.at("data")), 200, period};
  }

 private:
  std::optional<httplib::Client> client_;
  std::uint16_t life_ = 0;
};

}  // namespace

std::unique_ptr<Asker> make_http_asker() { return std::make_unique<HttpAsker>(); }

}  // namespace featherid::campaign
