// SPDX-License-Identifier: MIT
#include "lib/store/etcd/cluster_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "lib/store/etcd/base64.h"
#include "lib/store/etcd/etcd_client.h"
#include "lib/store/etcd/etcd_refusal.h"
#include "lib/store/etcd/member_clock.h"
#include "lib/store/http_client/http_servers.h"
#include "lib/store/time_floor_rules.h"

namespace featherid {

namespace {

using Json = nlohmann::json;
using std::chrono::duration_cast;
using std::chrono::seconds;

// Null if there is none.
Json member_of(const Json& object, const char* name) {
  return object.is_object() ? object.value(name, Json()) : Json();
}

std::string text_at(const Json& object, const char* name) {
  const Json found = member_of(object, name);
  return found.is_string() ? found.get<std::string>() : "";
}

bool flag_at(const Json& object, const char* name) { return member_of(object, name) == Json(true); }

// A number of Prometheus's text format, which has one such line: "NAME 1.5e+09".
std::optional<std::int64_t> metric(const std::string& text, const std::string& name) {
  const std::string line = "\n" + name + " ";
  const std::size_t at = text.find(line);
  if (at == std::string::npos) return std::nullopt;
  return static_cast<std::int64_t>(std::strtod(text.c_str() + at + line.size(), nullptr));
}

class Reporter {
 public:
  Reporter(const EtcdUrl& url, const EtcdStoreOptions& options)
      : key_(cluster_key(url)),
        clock_(options.clock ? options.clock : system_time),
        members_(url.members.size()),
        servers_(url.members, servers_options(url, options)) {}

  EtcdClusterReport run() {
    EtcdClusterReport report;
    for (std::size_t i = 0; i < members_; ++i) {
      report.members.push_back(ask(i));
      if (!report.members.back().answers.ok()) continue;
      if (report.listed.empty()) report.listed = list(i);
      if (!report.open_to_all) report.open_to_all = is_open(i);
      if (report.alarms.empty()) report.alarms = alarms(i);
    }
    std::sort(report.members.begin(), report.members.end(),
              [](const auto& a, const auto& b) { return a.url < b.url; });
    return report;
  }

 private:
  static HttpServers::Options servers_options(const EtcdUrl& url, const EtcdStoreOptions& options) {
    HttpServers::Options servers = etcd_servers_options(url, options);
    // One that is not healthy is asked all the more, and takes long to say so.
    servers.access.must_be_healthy = false;
    servers.access.opening = "/version";
    servers.judge = [](const HttpAnswer&, const std::string&) { return Status(); };
    servers.log = {};
    return servers;
  }

  Result<HttpAnswer> call(std::size_t member, HttpClientRequest request) {
    Result<HttpServers::Answer> answer =
        servers_.call({std::move(request), HttpServers::Repeat::kNever, member, std::nullopt});
    if (!answer.ok()) return answer.status();
    return std::move(answer->http);
  }
  // The answer's JSON; null if it is another one, or none.
  Json ask_json(std::size_t member, const char* path, const Json& asked) {
    const Result<HttpAnswer> answer = call(member, {"POST", path, asked.dump()});
    if (!answer.ok() || answer->status != 200) return {};
    Json body = Json::parse(answer->body, nullptr, false);
    return body.is_object() ? body : Json();
  }

  EtcdMemberReport ask(std::size_t member);
  std::vector<EtcdClusterReport::Listed> list(std::size_t member);
  std::vector<std::string> alarms(std::size_t member);
  std::optional<bool> is_open(std::size_t member);

  const std::string key_;
  const WallClock clock_;
  const std::size_t members_;
  HttpServers servers_;
};

// How far the clock that wrote `date` between `before` and `after` is ahead, at least.
seconds ahead_by(WallTime date, WallTime before, WallTime after) {
  if (date > after) return duration_cast<seconds>(date - after);
  const WallTime latest = date + seconds(1);
  return latest < before ? -duration_cast<seconds>(before - latest) : seconds(0);
}

EtcdMemberReport Reporter::ask(std::size_t member) {
  EtcdMemberReport report;
  report.url = servers_.url(member);
  const WallTime before = clock_();
  const Result<HttpAnswer> answer = call(member, {"POST", "/v3/maintenance/status", "{}"});
  const WallTime after = clock_();
  report.answers = answer.ok() ? refusal_of(*answer, report.url).status : answer.status();
  if (!report.answers.ok()) return report;
  const Json told = Json::parse(answer->body, nullptr, false);
  const Json header = member_of(told, "header");
  report.id = text_at(header, "member_id");
  report.cluster = text_at(header, "cluster_id");
  if (report.id.empty() || report.cluster.empty()) {
    report.answers = Status(StatusCode::kFailedPrecondition,
                            report.url + " does not answer as a member of etcd; check the address");
    return report;
  }
  report.version = text_at(told, "version");
  report.leader = text_at(told, "leader");
  report.learner = flag_at(told, "isLearner");
  report.size_bytes = std::atoll(text_at(told, "dbSize").c_str());  // NOLINT: 0 if it is none
  if (const auto date = parse_http_date(answer->date)) {
    report.ahead = ahead_by(*date, before, after);
  }
  const Result<HttpAnswer> metrics = call(member, {"GET", "/metrics"});
  if (metrics.ok() && metrics->status == 200) {
    report.quota_bytes = metric(metrics->body, "etcd_server_quota_backend_bytes").value_or(0);
    report.syncs = metric(metrics->body, "etcd_disk_wal_fsync_duration_seconds_count");
  }
  return report;
}

std::vector<EtcdClusterReport::Listed> Reporter::list(std::size_t member) {
  std::vector<EtcdClusterReport::Listed> listed;
  const Json told = ask_json(member, "/v3/cluster/member/list", Json::object());
  for (const Json& each : member_of(told, "members")) {
    listed.push_back({text_at(each, "ID"), text_at(each, "name"), flag_at(each, "isLearner")});
  }
  return listed;
}

std::vector<std::string> Reporter::alarms(std::size_t member) {
  std::vector<std::string> alarms;
  const Json told = ask_json(member, "/v3/maintenance/alarm", Json::object());
  for (const Json& each : member_of(told, "alarms")) {
    alarms.push_back(text_at(each, "alarm") + " of member " + text_at(each, "memberID"));
  }
  return alarms;
}

std::optional<bool> Reporter::is_open(std::size_t member) {
  const Json asked = {{"key", base64_encode(key_)}, {"serializable", true}};
  const Result<HttpAnswer> answer = call(member, {"POST", "/v3/kv/range", asked.dump()});
  if (!answer.ok()) return std::nullopt;
  const EtcdRefusal refusal = refusal_of(*answer, servers_.url(member));
  if (refusal.status.ok()) return true;
  return refusal.needs_login ? std::optional<bool>(false) : std::nullopt;
}

}  // namespace

Result<EtcdClusterReport> read_cluster_report(std::string_view url,
                                              const EtcdStoreOptions& options) {
  const Result<EtcdUrl> parsed = parse_etcd_url(url);
  if (!parsed.ok()) return parsed.status();
  EtcdClusterReport report = Reporter(*parsed, options).run();
  report.has_login = !parsed->user.empty();
  report.has_certificate = !parsed->cert.empty();
  return report;
}

}  // namespace featherid
