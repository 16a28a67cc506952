// SPDX-License-Identifier: MIT
#include "server/store/stores.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <regex>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "featherid/etcd_store.h"
#include "featherid/http_store.h"
#include "server/log/joined.h"
#include "server/store/counters.h"
#include "server/store/etcd_report.h"
#include "server/store/report.h"

namespace featherid {

namespace {

// --- databases, through SOCI ---

SociStoreOptions soci_options(const StoreOptions& options) {
  constexpr int kSessionsMax = 64;  // the most that SociStoreOptions allows
  SociStoreOptions soci;
  soci.sessions_max = std::min(options.calls_max, kSessionsMax);
  soci.call_timeout = options.call_timeout;
  soci.failover = options.failover;
  soci.failover_guard_ids = options.failover_guard_ids;
  soci.lossy_commits = options.lossy_commits;
  soci.database_file = options.database_file;
  soci.log = options.log;
  soci.log_risks = options.log_risks;
  return soci;
}

Result<std::unique_ptr<Store>> open_database(const StoreOptions& options) {
  return open_soci_store(options.addresses, soci_options(options));
}

Result<std::string> init_database(const StoreOptions& options) {
  std::vector<std::string> tags_made;
  const Status status = init_soci_schema(options.addresses, soci_options(options), &tags_made);
  if (!status.ok()) return status;
  const std::string& address = options.addresses.front();
  const bool has_leader = sqlite3_file_of(address).empty();
  return name_soci_tables(has_leader ? "the tables id_segments, id_leader and id_tags exist"
                                     : "the tables id_segments and id_tags exist",
                          address) +
         "; tags created: " + joined(tags_made);
}

Status check_database_exists(const StoreOptions& options) {
  const std::string file = sqlite3_file_of(options.addresses.front());
  std::error_code ignored;
  if (file.empty() || std::filesystem::exists(file, ignored)) return {};
  return {StatusCode::kNotFound, "there is no " + options.addresses.front()};
}

// --- other servers, over HTTP ---

// Several may be one text, with commas between them.
std::vector<std::string> server_urls(const std::vector<std::string>& addresses) {
  std::vector<std::string> urls;
  for (const std::string& address : addresses) {
    std::istringstream text(address);
    for (std::string url; std::getline(text, url, ',');) urls.push_back(url);
  }
  return urls;
}

Result<std::unique_ptr<Store>> open_servers(const StoreOptions& options) {
  HttpStoreOptions http;
  http.token = options.token;
  http.token_file = options.token_file;
  http.ca_file = options.ca_file;
  http.call_timeout = options.call_timeout;
  http.log = options.log;
  return open_http_store(server_urls(options.addresses), http);
}

Result<std::string> init_servers(const StoreOptions& /*options*/) {
  return Status(StatusCode::kInvalidArgument,
                "the address is one of a server, which has a database of its own; run featherid "
                "init on that database");
}

Status is_no_file(const StoreOptions& /*options*/) { return {}; }

// Only what is a good address is shown: somebody may have put a password into another.
std::string redact_servers(std::string_view addresses) {
  StoreOptions options;
  options.addresses = {std::string(addresses)};
  return open_servers(options).ok() ? options.addresses.front() : "***";
}

std::vector<Finding> examine_servers(const StoreOptions& options) {
  const Result<std::unique_ptr<Store>> store = open_servers(options);
  const Status status = store.ok() ? (*store)->probe() : store.status();
  if (status.ok()) return {{Finding::Level::kFact, "server", "it leases ids"}};
  return {{Finding::Level::kProblem, "server", status.message()}};
}

// --- etcd ---

EtcdStoreOptions etcd_options(const StoreOptions& options) {
  EtcdStoreOptions etcd;
  etcd.call_timeout = options.call_timeout;
  etcd.database_file = options.database_file;
  etcd.log = options.log;
  return etcd;
}

Result<std::unique_ptr<Store>> open_etcd(const StoreOptions& options) {
  if (options.addresses.size() == 1) {
    return open_etcd_store(options.addresses.front(), etcd_options(options));
  }
  return Status(
      StatusCode::kInvalidArgument,
      "give the members of an etcd cluster in one URL: etcd://HOST:2379,HOST:2379/PREFIX");
}

Result<std::string> init_etcd(const StoreOptions& options) {
  if (Status bad = open_etcd(options).status(); !bad.ok()) return bad;
  std::vector<std::string> tags_made;
  const Status status =
      init_etcd_store(options.addresses.front(), etcd_options(options), &tags_made);
  if (!status.ok()) return status;
  return "the keys of the store and of the cluster exist; tags created: " + joined(tags_made);
}

// What can be seen of a cluster that grants leases.
void examine_leases(Store& store, const StoreOptions& options, const EtcdClusterReport& before,
                    std::vector<Finding>* findings) {
  const auto add = [findings](std::vector<Finding> more) {
    findings->insert(findings->end(), more.begin(), more.end());
  };
  const Result<std::vector<TagInfo>> rows = store.list();
  add(rows.ok()
          ? examine_tags(*rows)
          : std::vector<Finding>{{Finding::Level::kProblem, "tags", rows.status().message()}});
  const std::optional<Finding> latency = measure_leases(store);
  if (!latency) {
    return add({{Finding::Level::kWarning, "settings",
                 "there is no tag 'health', which checks use; make it with: featherid init"}});
  }
  add({*latency});
  if (latency->level == Finding::Level::kProblem) return;
  const Result<EtcdClusterReport> after =
      read_cluster_report(options.addresses.front(), etcd_options(options));
  if (after.ok()) add(examine_disks(before, *after));
}

std::vector<Finding> examine_etcd(const StoreOptions& given) {
  StoreOptions options = given;
  options.log = {};  // the report says who fails
  const auto problem = [](const Status& status) {
    return Finding{Finding::Level::kProblem, "etcd", status.message()};
  };
  const Result<std::unique_ptr<Store>> store = open_etcd(options);
  if (!store.ok()) return {problem(store.status())};
  const Result<EtcdClusterReport> report =
      read_cluster_report(options.addresses.front(), etcd_options(options));
  if (!report.ok()) return {problem(report.status())};
  std::vector<Finding> findings = examine_cluster(*report);
  if (const Status probed = (*store)->probe(); !probed.ok()) {
    findings.push_back(problem(probed));
    return findings;
  }
  findings.push_back({Finding::Level::kFact, "etcd", "it leases ids"});
  examine_leases(**store, options, *report, &findings);
  return findings;
}

// --- the table ---

struct StoreKind {
  std::vector<std::string_view> schemes;
  std::vector<std::string_view> words;  // of names of variables that may be meant for it
  const char* form;                     // how an address looks
  std::vector<Failover> skips_under;    // with these, a failover skips ids of every tag
  std::string (*redact)(std::string_view address);
  Result<std::unique_ptr<Store>> (*open)(const StoreOptions& options);
  Result<std::string> (*init)(const StoreOptions& options);
  Status (*check_exists)(const StoreOptions& options);
  // Null: there is no SQL, and `examine` looks for itself.
  const ReportSql& (*report)();
  const CounterSql& (*counters)();
  std::vector<Finding> (*examine)(const StoreOptions& options);
};

StoreKind over_soci(std::vector<std::string_view> schemes, std::vector<std::string_view> words,
                    const char* form, std::vector<Failover> skips_under,
                    const ReportSql& (*report)(), const CounterSql& (*counters)()) {
  return {
      std::move(schemes),
      std::move(words),
      form,
      std::move(skips_under),
      &redact_database_url,
      &open_database,
      &init_database,
      &check_database_exists,
      report,
      counters,
      nullptr,
  };
}

const std::vector<StoreKind>& kinds() {
  static const std::vector<StoreKind> kinds = {
      over_soci({"sqlite3"}, {"SQL"}, "sqlite3:FILE", {}, sqlite3_report, sqlite3_counters),
      // Under kSynchronous, a Galera cluster whose nodes have all crashed skips.
      over_soci({"mysql", "mariadb"}, {"SQL", "MARIA"}, "mysql://USER:PASSWORD@HOST:PORT/DB",
                {Failover::kSkip, Failover::kSynchronous}, mysql_report, mysql_counters),
      over_soci({"postgresql", "postgres"}, {"SQL", "POSTGRES"}, "postgresql://…",
                {Failover::kSkip}, postgresql_report, postgresql_counters),
      {{"http", "https"},
       {},
       "http://HOST:PORT",
       {},
       &redact_servers,
       &open_servers,
       &init_servers,
       &is_no_file,
       nullptr,
       nullptr,
       &examine_servers},
      {{"etcd", "etcds"},
       {"ETCD"},
       "etcd://HOST:2379,…/PREFIX",
       {},
       &redact_etcd_url,
       &open_etcd,
       &init_etcd,
       &is_no_file,
       nullptr,
       nullptr,
       &examine_etcd},
  };
  return kinds;
}

// kInvalidArgument: no kind has such addresses.
Result<const StoreKind*> kind_of(std::string_view address) {
  const std::string_view scheme = address.substr(0, address.find(':'));
  for (const StoreKind& kind : kinds()) {
    if (std::find(kind.schemes.begin(), kind.schemes.end(), scheme) != kind.schemes.end()) {
      return &kind;
    }
  }
  return Status(StatusCode::kInvalidArgument,
                "the address does not begin with a known scheme; use " + address_forms());
}

Result<const StoreKind*> kind_of(const StoreOptions& options) {
  return kind_of(options.addresses.front());
}

Status not_a_database() {
  return {StatusCode::kInvalidArgument,
          "this works on an SQL database, and the address is not one of such a database"};
}

}  // namespace

std::string address_forms() {
  std::string text;
  for (const StoreKind& kind : kinds()) {
    const bool last = &kind == &kinds().back();
    text.append(text.empty() ? "" : last ? " or " : ", ").append(kind.form);
  }
  return text;
}

bool resembles_address(const std::string& text) {
  static const std::regex address = [] {
    std::string schemes;
    for (const StoreKind& kind : kinds()) {
      if (kind.words.empty()) continue;  // many things have an address that begins with http:
      for (const std::string_view scheme : kind.schemes) {
        schemes.append(schemes.empty() ? "" : "|");
        schemes.append(scheme.substr(0, scheme.find_first_of("0123456789")));
      }
    }
    return std::regex("\\s*(jdbc:)?(" + schemes + ")[a-z0-9+]*:", std::regex::icase);
  }();
  return std::regex_search(text, address, std::regex_constants::match_continuous);
}

bool mentions_kind(const std::string& name) {
  const auto contains = [&name](std::string_view word) {
    return name.find(word) != std::string::npos;
  };
  return std::any_of(kinds().begin(), kinds().end(), [&contains](const StoreKind& kind) {
    return std::any_of(kind.words.begin(), kind.words.end(), contains);
  });
}

Result<std::vector<std::string>> split_addresses(const std::string& text) {
  std::vector<std::string> addresses = split_database_urls(text);
  if (!addresses.empty()) return addresses;
  return Status(StatusCode::kInvalidArgument,
                "is empty; if it is not set, ids come from sqlite3:ids.db");
}

Result<std::vector<std::string>> read_addresses(const std::string& path) {
  Result<std::vector<std::string>> read = read_database_file(path);
  if (!read.ok()) return read.status();
  if (read->empty()) return Status(StatusCode::kInvalidArgument, "the file " + path + " is empty");
  return read;
}

std::string redacted(const std::vector<std::string>& addresses) {
  std::vector<std::string> texts;
  for (const std::string& address : addresses) {
    const Result<const StoreKind*> kind = kind_of(address);
    texts.push_back(kind.ok() ? (*kind)->redact(address) : "***");
  }
  return joined(texts);
}

bool skips_at_failover(const StoreOptions& options) {
  const Result<const StoreKind*> kind = kind_of(options);
  if (!kind.ok()) return false;
  const std::vector<Failover>& skips_under = (*kind)->skips_under;
  return std::find(skips_under.begin(), skips_under.end(), options.failover) != skips_under.end();
}

Result<std::unique_ptr<Store>> open_store(const StoreOptions& options) {
  const Result<const StoreKind*> kind = kind_of(options);
  return kind.ok() ? (*kind)->open(options) : kind.status();
}

Result<std::string> init_store(const StoreOptions& options) {
  const Result<const StoreKind*> kind = kind_of(options);
  return kind.ok() ? (*kind)->init(options) : kind.status();
}

Status check_store_exists(const StoreOptions& options) {
  const Result<const StoreKind*> kind = kind_of(options);
  return kind.ok() ? (*kind)->check_exists(options) : kind.status();
}

std::vector<Finding> examine_store(const StoreOptions& options) {
  const Result<const StoreKind*> kind = kind_of(options);
  if (!kind.ok()) return {{Finding::Level::kProblem, "database", kind.status().message()}};
  if ((*kind)->report == nullptr) return (*kind)->examine(options);
  return examine_database(options, (*kind)->report());
}

Result<std::vector<std::string>> query_database(const StoreOptions& options,
                                                const std::string& query) {
  const Result<const StoreKind*> kind = kind_of(options);
  if (!kind.ok()) return kind.status();
  if ((*kind)->counters == nullptr) return not_a_database();
  return query_soci(options.addresses, name_soci_tables(query, options.addresses.front()),
                    soci_options(options));
}

Result<std::vector<Counter>> read_counters(const StoreOptions& options,
                                           const CounterSource& source) {
  const Result<const StoreKind*> kind = kind_of(options);
  if (!kind.ok()) return kind.status();
  if ((*kind)->counters == nullptr) return not_a_database();
  return read_database_counters(options, source, (*kind)->counters());
}

bool store_threads_left_behind() { return soci_threads_left_behind(); }

}  // namespace featherid
