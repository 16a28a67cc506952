// SPDX-License-Identifier: MIT
#include "server/config/settings.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <regex>
#include <string_view>
#include <thread>
#include <utility>

#include "server/api/auth.h"
#include "server/config/values.h"

namespace featherid {

namespace {

template <typename T, typename Value>
Status put(const Result<Value>& value, T* out) {
  if (value.ok()) *out = static_cast<T>(*value);
  return value.status();
}

template <typename T>
Status set_number(const std::string& text, const char* min, const char* max, T* out) {
  return put(parse_number(text, min, max), out);
}

template <typename Duration>
Status set_time(const std::string& text, const char* min, const char* max, Duration* out) {
  const Result<std::chrono::milliseconds> time = parse_duration(text, min, max);
  if (!time.ok()) return time.status();
  *out = std::chrono::duration_cast<Duration>(*time);
  if (*out == *time) return {};
  return invalid("'" + text + "' is not a whole number of seconds");
}

// One of a few words, each with its value.
template <typename T>
Status set_word(const std::string& text,
                std::initializer_list<std::pair<std::string_view, T>> values, T* out) {
  std::string words;
  for (const auto& [word, value] : values) {
    if (word == text) return *out = value, Status();
    const bool last = word == (values.end() - 1)->first;
    words.append(words.empty() ? "" : last ? " or " : ", ").append(word);
  }
  return invalid("'" + text + "' is not " + words);
}

Status set_log_level(const std::string& text, spdlog::level::level_enum* out) {
  const auto level = parse_log_level(text);
  if (!level) return invalid("'" + text + "' is not debug, info, warn or error");
  *out = *level;
  return {};
}

// The default, no file, leaves the addresses as they are.
Status set_database_file(const std::string& path, StoreOptions* store) {
  store->database_file = path;
  return path.empty() ? Status() : put(read_addresses(path), &store->addresses);
}

Status set_resp_listen(const std::string& text, Config* config) {
  config->resp_listen.reset();
  return text.empty() ? Status() : put(parse_listen(text), &config->resp_listen);
}

Status set_token_file(const std::string& path, Config* config) {
  config->admin_token_file = path;
  config->tokens.clear();
  return path.empty() ? Status() : put(read_token_file(path), &config->tokens);
}

Status set_scramble_keys(const std::string& path, Config* config) {
  config->scramble_key_file = path;
  return path.empty() ? Status() : put(ScrambleKeys::read_file(path), &config->scramble_keys);
}

// The scheme, and a host. A path would mean a proxy that moves the API, which is not supported.
Status set_server(const std::string& url, RemoteServer* remote) {
  static const std::regex kUrl(R"(https?://[^/@?#\s]+/?)", std::regex::icase);
  if (!url.empty() && !std::regex_match(url, kUrl)) {
    return invalid("'" + url + "' is not http://HOST:PORT or https://HOST:PORT");
  }
  remote->url = url.substr(0, url.find_last_not_of('/') + 1);
  return {};
}

using Text = const std::string&;

constexpr bool kReloadable = true;
constexpr auto kBoth = Setting::UsedBy::kBoth;
constexpr auto kCommand = Setting::UsedBy::kCommand;

}  // namespace

std::vector<Setting> settings() {  // NOLINT(readability-function-size): a table, however long
  const unsigned io_threads = std::clamp(std::thread::hardware_concurrency(), 1U, 2U);
  return {
      {"listen", "HOST:PORT", "127.0.0.1:8080",
       "address and port to listen on; port 0 means any free port",
       [](Config& c, Text t) { return put(parse_listen(t), &c.listen); }},
      {"resp-listen", "HOST:PORT", "",
       "address and port of the Redis protocol, such as 127.0.0.1:6379; empty: it is off",
       [](Config& c, Text t) { return set_resp_listen(t, &c); }},
      {"tls-cert", "FILE", "", "certificate with its chain (PEM); every port then speaks TLS",
       [](Config& c, Text t) { return c.tls_cert_file = t, Status(); }, kReloadable},
      {"tls-key", "FILE", "", "private key of --tls-cert (PEM, without a password)",
       [](Config& c, Text t) { return c.tls_key_file = t, Status(); }, kReloadable},
      {"database", "URL", "sqlite3:ids.db",
       address_forms() + "; several addresses of one database are separated by spaces",
       [](Config& c, Text t) { return put(split_addresses(t), &c.store.addresses); }, !kReloadable,
       kBoth},
      {"database-file", "FILE", "",
       "file that holds the value of --database; each new connection reads user and password again",
       [](Config& c, Text t) { return set_database_file(t, &c.store); }, !kReloadable, kBoth},
      {"server", "URL", "",
       "work through this featherid-server (http://HOST:PORT or https://HOST:PORT) instead of on "
       "the database",
       [](Config& c, Text t) { return set_server(t, &c.remote); }, !kReloadable, kCommand},
      {"server-ca", "FILE", "",
       "certificates (PEM) of the authorities that may sign the certificate of the server in "
       "--server or --database; empty: the system's",
       [](Config& c, Text t) { return c.remote.ca_file = c.store.ca_file = t, Status(); },
       !kReloadable, kBoth},
      {"token-file", "FILE", "",
       "file that holds the token for the server in --server or --database",
       [](Config& c, Text t) { return c.remote.token_file = c.store.token_file = t, Status(); },
       !kReloadable, kBoth},
      {"failover", "MODE", "skip",
       "what to do after a failover of the database: skip (ids), stop, or synchronous (no commit "
       "is ever lost)",
       [](Config& c, Text t) {
         return set_word<Failover>(t,
                                   {{"skip", Failover::kSkip},
                                    {"stop", Failover::kStop},
                                    {"synchronous", Failover::kSynchronous}},
                                   &c.store.failover);
       },
       !kReloadable, kBoth},
      {"failover-guard-ids", "N", "100000000", "number of ids of every tag that a failover skips",
       [](Config& c, Text t) {
         return set_number(t, "1", "1099511627776", &c.store.failover_guard_ids);
       },
       !kReloadable, kBoth},
      {"lossy-commits", "MODE", "refuse",
       "what to do if a crash of the database can take back leases: refuse to lease, or allow (ids "
       "may be issued twice)",
       [](Config& c, Text t) {
         return set_word<LossyCommits>(
             t, {{"refuse", LossyCommits::kRefuse}, {"allow", LossyCommits::kAllow}},
             &c.store.lossy_commits);
       },
       !kReloadable, kBoth},
      {"auto-create", "RULES", "",
       "tags to create when they are first asked for: PATTERN[:STEP[:CAP]], such as "
       "shop-*:1000:int32; several rules are separated by spaces",
       [](Config& c, Text t) { return put(parse_auto_create(t), &c.auto_create.rules); }},
      {"auto-create-per-minute", "N", "60",
       "maximum number of tags that auto-create makes in a minute",
       [](Config& c, Text t) {
         return set_number(t, "1", "10000", &c.auto_create.per_minute_max);
       }},
      {"auto-create-tags-max", "N", "1000",
       "auto-create makes no tag while the table has at least this many",
       [](Config& c, Text t) { return set_number(t, "1", "1000000", &c.auto_create.tags_max); }},
      {"max-batch", "N", "1000", "maximum number of ids in one answer of /api/v1/id/batch",
       [](Config& c, Text t) { return set_number(t, "1", "100000", &c.max_batch_ids); }},
      {"hold", "TIME", "30s", "how long a tag can be served without the database",
       [](Config& c, Text t) { return set_time(t, "1s", "1h", &c.allocator.hold); }},
      {"lease-max-ids", "N", "10000000",
       "largest lease; leases grow with the use of a tag up to this size",
       [](Config& c, Text t) {
         return set_number(t, "1", "1073741824", &c.allocator.lease_max_ids);
       }},
      {"refill-threads", "N", "2", "maximum number of leases in progress at once",
       [](Config& c, Text t) { return set_number(t, "1", "64", &c.allocator.refill_threads); }},
      {"call-timeout", "TIME", "5s", "time limit for a call to the database",
       [](Config& c, Text t) { return set_time(t, "2s", "60s", &c.store.call_timeout); },
       !kReloadable, kBoth},
      {"wait-for-database", "TIME", "0s", "how long to wait at the start until the database serves",
       [](Config& c, Text t) { return set_time(t, "0s", "1h", &c.wait_for_database); },
       !kReloadable, kBoth},
      {"request-timeout", "TIME", "2s", "time limit for a request that waits for ids",
       [](Config& c, Text t) {
         Status status = set_time(t, "10ms", "10m", &c.net.request_timeout);
         c.allocator.wait_timeout = c.net.request_timeout;
         return status;
       }},
      {"header-timeout", "TIME", "10s",
       "time limit for a complete request or TLS handshake; silent new connections are closed "
       "after it as well",
       [](Config& c, Text t) { return set_time(t, "10ms", "10m", &c.net.header_timeout); },
       kReloadable},
      {"idle-timeout", "TIME", "75s",
       "a connection is closed if no further request arrives within this time",
       [](Config& c, Text t) { return set_time(t, "10ms", "24h", &c.net.idle_timeout); },
       kReloadable},
      {"resp-idle-timeout", "TIME", "0s",
       "the same for connections of the Redis protocol; 0s: no limit",
       [](Config& c, Text t) { return set_time(t, "0s", "24h", &c.net.resp_idle_timeout); },
       kReloadable},
      {"write-timeout", "TIME", "30s", "time limit for a client to read its answers",
       [](Config& c, Text t) { return set_time(t, "10ms", "10m", &c.net.write_timeout); },
       kReloadable},
      {"drain-timeout", "TIME", "10s", "time limit for requests in progress after SIGTERM",
       [](Config& c, Text t) { return set_time(t, "0s", "10m", &c.net.drain_timeout); },
       kReloadable},
      {"io-threads", "N", std::to_string(io_threads), "number of event loops",
       [](Config& c, Text t) { return set_number(t, "1", "64", &c.net.io_threads); }},
      {"max-connections", "N", "10000", "maximum number of connections; others get 503",
       [](Config& c, Text t) { return set_number(t, "1", "1000000", &c.net.connections_max); },
       kReloadable},
      {"max-parked", "N", "10000", "maximum number of requests that wait for ids; others get 503",
       [](Config& c, Text t) { return set_number(t, "0", "1000000", &c.net.parked_max); },
       kReloadable},
      {"admin-token-file", "FILE", "",
       "file of the tokens, one per line: TOKEN, or NAME ROLE TOKEN with the role admin, lease or "
       "read",
       [](Config& c, Text t) { return set_token_file(t, &c); }, kReloadable},
      {"scramble-key-file", "FILE", "",
       "file of the keys that scramble ids, one per line: NUMBER:KEY; the first one scrambles",
       [](Config& c, Text t) { return set_scramble_keys(t, &c); }},
      {"metrics-tags", "N", "100", "number of tags with their own metrics; the others are summed",
       [](Config& c, Text t) { return set_number(t, "0", "10000", &c.metrics_tags_max); }},
      {"console", "SWITCH", "on", "on or off: the web console at /console/ and the status calls",
       [](Config& c, Text t) {
         return set_word<bool>(t, {{"on", true}, {"off", false}}, &c.console);
       }},
      {"log-level", "LEVEL", "info", "debug, info, warn or error",
       [](Config& c, Text t) { return set_log_level(t, &c.log_level); }, kReloadable},
      {"log-format", "FORMAT", "text", "text or json; in JSON each line is an object",
       [](Config& c, Text t) {
         return set_word<LogFormat>(t, {{"text", LogFormat::kText}, {"json", LogFormat::kJson}},
                                    &c.log_format);
       }},
      {"log-dir", "FOLDER", "", "folder for log files, in addition to standard error",
       [](Config& c, Text t) { return c.log_files.dir = t, Status(); }},
      {"log-max-size", "SIZE", "100MB", "a log file is rotated at this size",
       [](Config& c, Text t) {
         return put(parse_size(t, "1KB", "1000GB"), &c.log_files.file_bytes_max);
       }},
      {"log-keep-days", "N", "30", "log files are removed after this many days",
       [](Config& c, Text t) { return set_number(t, "1", "36500", &c.log_files.keep_days); }},
      {"log-backups", "N", "5", "maximum number of rotated files of one day",
       [](Config& c, Text t) { return set_number(t, "0", "10000", &c.log_files.backups_max); }},
  };
}

}  // namespace featherid
