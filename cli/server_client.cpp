// SPDX-License-Identifier: MIT
#include "cli/server_client.h"

#include <httplib.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "lib/store/time_floor_rules.h"
#include "server/config/values.h"
#include "server/store/order.h"
#include "server/store/period.h"

namespace featherid {

namespace {

using Json = nlohmann::json;

constexpr const char* kTag = "/api/v1/tag";
constexpr int kPageTags = 1000;

// The first word of the file. Lines that begin with '#' are comments.
Result<std::string> read_token(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.find_first_of(" \t") == std::string::npos) return line;
    return invalid("--token-file: " + path + " must hold one token, without its name and role");
  }
  return invalid("--token-file: " + path +
                 (file.is_open() ? " contains no token" : " cannot be read"));
}

// What the server's status and code mean here. Both together, because a proxy in between answers
// with a status only.
StatusCode status_code(int http_status, int code) {
  switch (http_status) {
    case 400:
    case 415:
      return StatusCode::kInvalidArgument;
    case 404:
      return code == 4 ? StatusCode::kNotFound : StatusCode::kFailedPrecondition;
    case 409:
      return code == 6 ? StatusCode::kExhausted : StatusCode::kAlreadyExists;
    case 504:
      return StatusCode::kDeadlineExceeded;
    default:
      return http_status >= 500 ? StatusCode::kUnavailable : StatusCode::kFailedPrecondition;
  }
}

std::string text_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::chrono::system_clock::time_point time_at(const Json& object, const char* name) {
  std::tm parts{};
  const std::string text = text_at(object, name);
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) == nullptr) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

// What an older server does not know is as it is by default.
void read_floor(const Json& tag, TagInfo* info) {
  const auto floor = tag.find("floor");
  if (floor == tag.end() || !floor->is_object()) return;
  info->floor = {floor->at("rate").get<std::int64_t>(), floor->at("epoch").get<std::int64_t>(),
                 floor->at("lead_max").get<std::int64_t>(),
                 floor->at("lead_only_warns").get<bool>(),
                 floor->at("since_id").get<std::int64_t>()};
  const Json& lead = floor->at("lead_seconds");
  if (!lead.is_number()) return;
  // The time at which the floor was as far behind max_id.
  const double reached = static_cast<double>(info->max_id) / static_cast<double>(info->floor.rate);
  const auto ms = static_cast<std::int64_t>(1000 * (reached - lead.get<double>()));
  info->read_at = WallTime(std::chrono::milliseconds(1000 * info->floor.epoch_s + ms));
}

// The parameters of a change of a time floor.
void add_floor(const TimeFloorChange& change, std::multimap<std::string, std::string>* parameters) {
  const auto add = [&](const char* name, const std::optional<std::int64_t>& number) {
    if (number) parameters->emplace(name, std::to_string(*number));
  };
  add("floor_rate", change.rate);
  add("floor_epoch", change.epoch_s);
  add("floor_lead_max", change.lead_max_s);
  if (change.lead_only_warns) {
    parameters->emplace("floor_only_warns", *change.lead_only_warns ? "yes" : "no");
  }
}

TagInfo tag_info(const Json& tag) {
  TagInfo info;
  info.tag = tag.at("biz_tag").get<std::string>();
  info.max_id = tag.at("max_id").get<std::int64_t>();
  info.step = tag.at("step").get<std::int64_t>();
  const auto cap = tag.find("cap");
  info.cap = cap != tag.end() && cap->is_number() ? cap->get<std::int64_t>() : kIdMax;
  info.order =
      text_at(tag, "order") == order_word(TagOrder::kStrict) ? TagOrder::kStrict : TagOrder::kPlain;
  info.format = text_at(tag, "format");
  info.scramble = text_at(tag, "scramble");
  info.description = text_at(tag, "description");
  info.owner = text_at(tag, "owner");
  info.created_by = text_at(tag, "created_by");
  info.created_at = time_at(tag, "created_at");
  info.changed_by = text_at(tag, "changed_by");
  info.changed_at = time_at(tag, "changed_at");
  read_floor(tag, &info);
  const std::string period = text_at(tag, "period");
  if (!period.empty()) {
    const Result<PeriodKind> kind = parse_period_kind(period);
    if (kind.ok()) info.period = {*kind, tag.at("period_offset").get<int>()};
  }
  return info;
}

// Why no answer came, and what to do.
std::string cause_of(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "cannot connect; check --server, and that the server runs and can be reached";
    case httplib::Error::ConnectionTimeout:
      return "no connection in time; check --server, and what is in between, such as a firewall";
    case httplib::Error::Read:
      return "the connection ended, or the answer did not come in time; see the server's log, and "
             "raise --call-timeout if it is slow";
    case httplib::Error::Write:
      return "the connection ended before the request was sent; see the server's log";
    case httplib::Error::SSLConnection:
      return "no TLS connection; use http:// if the server has no certificate";
    case httplib::Error::SSLLoadingCerts:
      return "the certificates of --server-ca cannot be used; give a file in PEM format";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted; name its authority's certificate with --server-ca";
    default:
      return httplib::to_string(error) + "; check --server, and that the server runs";
  }
}

std::string cap_text(std::int64_t cap) { return cap == kIdMax ? "none" : std::to_string(cap); }

// Reads an answer. kUnavailable: it is not one of this API, so something else answers there.
template <typename Read>
auto read_data(const Json& data, const std::string& url, Read read)
    -> Result<decltype(read(data))> {
  try {
    return read(data);
  } catch (const Json::exception&) {
    return Status(StatusCode::kFailedPrecondition,
                  "the answer of " + url +
                      " is not one of featherid-server's; check --server, and what is in between");
  }
}

}  // namespace

struct ServerClient::Answer {
  Json data;
  std::string period;  // of the ids
  std::string date;
};

ServerClient::ServerClient(const std::string& url, std::unique_ptr<httplib::Client> client)
    : url_(url), client_(std::move(client)) {}

ServerClient::~ServerClient() = default;

Result<std::unique_ptr<ServerClient>> ServerClient::open(const RemoteServer& server,
                                                         std::string token,
                                                         std::chrono::seconds call_timeout) {
  if (!server.token_file.empty()) {
    Result<std::string> read = read_token(server.token_file);
    if (!read.ok()) return read.status();
    token = *std::move(read);
  }
  auto client = std::make_unique<httplib::Client>(server.url);
  if (!client->is_valid()) return invalid("--server: " + server.url + " cannot be used");
  if (!server.ca_file.empty()) {
    if (!std::ifstream(server.ca_file)) {
      return invalid("--server-ca: " + server.ca_file + " cannot be read");
    }
    client->set_ca_cert_path(server.ca_file);
  }
  client->set_keep_alive(true);
  client->set_follow_location(false);  // a token must not follow a redirect to another server
  client->set_connection_timeout(call_timeout);
  client->set_read_timeout(call_timeout);
  client->set_write_timeout(call_timeout);
  if (!token.empty()) client->set_default_headers({{"Authorization", "Bearer " + token}});
  return std::unique_ptr<ServerClient>(new ServerClient(server.url, std::move(client)));
}

Result<ServerClient::Answer> ServerClient::call(const char* method, const std::string& path,
                                                const Parameters& parameters) {
  httplib::Request request;
  request.method = method;
  request.path =
      httplib::append_query_params(path, httplib::Params(parameters.begin(), parameters.end()));
  const httplib::Result result = client_->send(request);
  if (!result) {
    return Status(StatusCode::kUnavailable,
                  "no answer from " + url_ + ": " + cause_of(result.error()));
  }
  const Json body = Json::parse(result->body, nullptr, false);
  const bool is_ours = body.is_object() && body.contains("code") && body.contains("data");
  if (result->status == 200 && is_ours)
    return Answer{body["data"], text_at(body, "period"), result->get_header_value("Date")};
  if (!is_ours) {
    return Status(
        result->status >= 500 ? StatusCode::kUnavailable : StatusCode::kFailedPrecondition,
        url_ + " answers with status " + std::to_string(result->status) +
            ", and not as featherid-server does; check --server, and what is in between");
  }
  const int code = body["code"].is_number_integer() ? body["code"].get<int>() : 0;
  std::string message = text_at(body, "msg");
  if (result->status == 401) message += "; give the token with --token-file or FEATHERID_TOKEN";
  return Status(status_code(result->status, code), message);
}

Result<PeriodRanges> ServerClient::take(std::string_view tag, std::int64_t count_ids) {
  const Result<Answer> answer =
      call("GET", "/api/v1/id/range",
           {{"biz_tag", std::string(tag)}, {"count", std::to_string(count_ids)}});
  if (!answer.ok()) return answer.status();
  const Result<Period> period =
      answer->period.empty() ? Result<Period>(Period()) : parse_period(answer->period);
  if (!period.ok()) return period.status();
  return read_data(answer->data, url_, [&](const Json& data) {
    PeriodRanges taken;
    taken.period = *period;
    for (const Json& range : data) {
      taken.ranges.push_back(
          {range.at("first").get<std::int64_t>(), range.at("last").get<std::int64_t>() + 1});
    }
    return taken;
  });
}

Result<std::chrono::seconds> ServerClient::clock_ahead() {
  const Result<Answer> answer = call("GET", "/healthz", {});
  if (!answer.ok()) return answer.status();
  std::tm parts{};
  if (::strptime(answer->date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) {
    return Status(StatusCode::kFailedPrecondition, "the answer of " + url_ + " has no Date");
  }
  return std::chrono::seconds(::timegm(&parts) - std::time(nullptr));
}

Result<std::vector<TagInfo>> ServerClient::list(const TagQuery& query) {
  std::vector<TagInfo> all;
  for (std::string after = query.after;;) {
    const std::int64_t missing = query.count_max - static_cast<std::int64_t>(all.size());
    const Result<Answer> answer =
        call("GET", "/api/v1/tags",
             {{"prefix", query.prefix},
              {"after", after},
              {"limit", std::to_string(std::min<std::int64_t>(missing, kPageTags))}});
    if (!answer.ok()) return answer.status();
    const Result<std::string> next = read_data(answer->data, url_, [&all](const Json& data) {
      for (const Json& tag : data.at("tags")) all.push_back(tag_info(tag));
      return text_at(data, "next");
    });
    if (!next.ok()) return next.status();
    const bool enough = static_cast<std::int64_t>(all.size()) >= query.count_max;
    if (enough || next->empty() || *next <= after) return all;
    after = *next;
  }
}

Result<TagInfo> ServerClient::info(std::string_view tag) {
  const Result<Answer> answer = call("GET", kTag, {{"biz_tag", std::string(tag)}});
  if (!answer.ok()) return answer.status();
  return read_data(answer->data, url_, [](const Json& data) { return tag_info(data); });
}

// Who does it is the token's name, which the server knows.
Status ServerClient::create(std::string_view tag, const NewTag& tag_to_make) {
  Parameters parameters = {{"biz_tag", std::string(tag)},
                           {"step", std::to_string(tag_to_make.step)}};
  const TagOptions& options = tag_to_make.options;
  if (options.cap != kIdMax) parameters.emplace("cap", cap_text(options.cap));
  if (options.order != TagOrder::kPlain) parameters.emplace("order", order_word(options.order));
  if (!options.format.empty()) parameters.emplace("format", options.format);
  if (!options.scramble.empty()) parameters.emplace("scramble", options.scramble);
  if (!options.description.empty()) parameters.emplace("description", options.description);
  if (!options.owner.empty()) parameters.emplace("owner", options.owner);
  add_floor(as_change(options.floor), &parameters);
  if (options.period.is_set()) {
    parameters.emplace("period", period_word(options.period.kind));
    parameters.emplace("period_offset", std::to_string(options.period.offset_minutes));
  }
  if (tag_to_make.max_id > 0) parameters.emplace("max_id", std::to_string(tag_to_make.max_id));
  return call("POST", kTag, parameters).status();
}

Status ServerClient::update(std::string_view tag, const TagChange& change) {
  Parameters parameters = {{"biz_tag", std::string(tag)}};
  if (change.step) parameters.emplace("step", std::to_string(*change.step));
  if (change.cap) parameters.emplace("cap", cap_text(*change.cap));
  if (change.order) parameters.emplace("order", order_word(*change.order));
  if (change.format) parameters.emplace("format", *change.format);
  if (change.scramble) parameters.emplace("scramble", *change.scramble);
  if (change.description) parameters.emplace("description", *change.description);
  if (change.owner) parameters.emplace("owner", *change.owner);
  add_floor(change.floor, &parameters);
  return call("PATCH", kTag, parameters).status();
}

// The server refuses a tag that is past max_id already. For TagAdmin it is where it should be.
Status ServerClient::advance(std::string_view tag, std::int64_t max_id, std::string_view /*by*/) {
  Status status = call("POST", "/api/v1/tag/advance",
                       {{"biz_tag", std::string(tag)}, {"max_id", std::to_string(max_id)}})
                      .status();
  if (status.code() != StatusCode::kInvalidArgument) return status;
  const Result<TagInfo> row = info(tag);
  return row.ok() && row->max_id >= max_id ? Status() : status;
}

Result<bool> ServerClient::rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                                  std::string_view /*by*/) {
  Status status = call("POST", "/api/v1/tag/rewind",
                       {{"biz_tag", std::string(tag)},
                        {"confirm", std::string(tag)},
                        {"from", std::to_string(from)},
                        {"max_id", std::to_string(to)}})
                      .status();
  if (status.code() == StatusCode::kAlreadyExists) return false;  // it is not at `from`
  if (!status.ok()) return status;
  return true;
}

Status ServerClient::remove(std::string_view tag, std::string_view /*by*/) {
  return call("DELETE", kTag, {{"biz_tag", std::string(tag)}}).status();
}

Status ServerClient::probe() { return call("GET", "/readyz", {}).status(); }

}  // namespace featherid
