// SPDX-License-Identifier: MIT
#include "server/store/report.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <regex>
#include <set>
#include <utility>

#include "featherid/id_range.h"
#include "server/store/cap.h"

namespace featherid {

namespace {

using Level = Finding::Level;
using Clock = std::chrono::steady_clock;

// A difference of less does not matter to anything.
constexpr std::chrono::milliseconds kClockDifferenceMax{1000};
constexpr int kLeasesMeasured = 100;
constexpr std::chrono::seconds kMeasuredForMax{3};
// A process holds ids for 30 s at least by default, and asks when a quarter of that is used up.
constexpr std::chrono::milliseconds kSlowLease{500};

const char kTagForChecks[] = "health";

#define FEATHERID_MAY_INSERT                                 \
  "EXPLAIN INSERT INTO id_segments (biz_tag, max_id, step) " \
  "SELECT biz_tag, max_id, step FROM id_segments WHERE 1 = 0"
#define FEATHERID_MAY_LEASE "EXPLAIN UPDATE id_segments SET max_id = max_id WHERE 1 = 0"
#define FEATHERID_MAY_LEAD "EXPLAIN UPDATE id_leader SET term = term WHERE id = 0"

#define FEATHERID_MAY_READ_TAGS "SELECT cap FROM id_tags WHERE 1 = 0"
#define FEATHERID_MAY_CHANGE_TAGS "EXPLAIN UPDATE id_tags SET version = version WHERE 1 = 0"

std::vector<ReportSql::Right> rights() {
  return {
      {"SELECT and UPDATE on id_segments", "leases", Level::kProblem, FEATHERID_MAY_LEASE},
      {"SELECT and UPDATE on id_leader", "leases after a failover", Level::kProblem,
       FEATHERID_MAY_LEAD},
      {"SELECT on id_tags", "caps of tags", Level::kWarning, FEATHERID_MAY_READ_TAGS},
      {"INSERT on id_segments", "new tags", Level::kWarning, FEATHERID_MAY_INSERT},
      {"INSERT and UPDATE on id_tags", "changes of tags", Level::kWarning,
       FEATHERID_MAY_CHANGE_TAGS},
  };
}

std::string ms_text(Clock::duration time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f ms",
                std::chrono::duration<double, std::milli>(time).count());
  return text;
}

// The lines that a store logs: from any of its threads.
class Lines {
 public:
  LogCallback callback() {
    return [this](LogLevel level, std::string_view text) {
      if (level < LogLevel::kWarn) return;
      const std::lock_guard<std::mutex> lock(mutex_);
      lines_.emplace(text);
    };
  }
  std::set<std::string> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::set<std::string> lines_;
};

class Examination {
 public:
  Examination(StoreOptions options, const ReportSql& sql)
      : options_(std::move(options)), sql_(sql) {
    options_.log = lines_.callback();
    options_.log_risks = true;
  }

  std::vector<Finding> run() {
    if (!look_at_settings()) return findings_;
    if (!look_at_version()) return findings_;  // nothing else will be answered
    look_at_clock();
    look_at_tls();
    look_at_proxies();
    look_at_rights();
    look_at_backups();
    look_at_tags();
    if (look_at_leader()) look_at_latency();
    return findings_;
  }

 private:
  void add(Level level, const char* topic, std::string text) {
    const auto same = [&text](const Finding& other) { return other.text == text; };
    if (std::any_of(findings_.begin(), findings_.end(), same)) return;  // one cause, once
    findings_.push_back({level, topic, std::move(text)});
  }

  // The first answer; empty without one. An error is a finding.
  std::string ask(const char* query) {
    if (query == nullptr) return "";
    const Result<std::vector<std::string>> answers = query_database(options_, query);
    if (!answers.ok()) {
      add(Level::kProblem, "database", answers.status().message());
      return "";
    }
    return answers->empty() ? "" : answers->front();
  }

  std::unique_ptr<Store> open(LossyCommits lossy, Failover failover) {
    StoreOptions options = options_;
    options.lossy_commits = lossy;
    options.failover = failover;
    Result<std::unique_ptr<Store>> store = open_store(options);
    if (store.ok()) return *std::move(store);
    add(Level::kProblem, "database", store.status().message());
    return nullptr;
  }

  // A commit under the conditions of a lease, which changes nothing. False: the database does not
  // answer at all.
  bool look_at_settings() {
    const auto commit = [this](LossyCommits lossy) {
      const std::unique_ptr<Store> store = open(lossy, options_.failover);
      return store ? store->advance(kTagForChecks, 0) : Status(StatusCode::kInvalidArgument, "");
    };
    const Status committed = commit(options_.lossy_commits);
    const StatusCode code = committed.code();
    if (code == StatusCode::kNotFound) {
      add(Level::kWarning, "settings",
          "there is no tag 'health', which checks use; make it with: featherid init");
    } else if (!committed.ok() && !committed.message().empty()) {
      add(Level::kProblem, "settings", committed.message());
    }
    // What else there is beside the setting that is refused.
    if (code == StatusCode::kFailedPrecondition) static_cast<void>(commit(LossyCommits::kAllow));
    for (const std::string& line : lines_.take()) {
      if (committed.message().find(line) != 0) add(Level::kWarning, "settings", line);
    }
    return code != StatusCode::kUnavailable && code != StatusCode::kInvalidArgument;
  }

  bool look_at_version() {
    const std::string version = ask(sql_.version);
    if (version.empty()) return false;
    const std::string fault = known_fault(version);
    add(fault.empty() ? Level::kFact : Level::kProblem, "version",
        fault.empty() ? version : version + ": " + fault);
    return true;
  }

  void look_at_clock() {
    const Clock::time_point asked = Clock::now();
    const std::string text = ask(sql_.clock_ms);
    if (text.empty()) return;
    const auto half = (Clock::now() - asked) / 2;
    const auto here = std::chrono::duration_cast<std::chrono::milliseconds>(
        (std::chrono::system_clock::now() - half).time_since_epoch());
    const std::chrono::milliseconds ahead(std::atoll(text.c_str()) - here.count());
    const std::string by = std::to_string(std::abs(ahead.count())) + " ms " +
                           (ahead.count() < 0 ? "behind" : "ahead of") + " this machine";
    const bool far = std::chrono::abs(ahead) > kClockDifferenceMax + half;
    add(far ? Level::kWarning : Level::kFact, "clock",
        "the database's clock is " + by +
            (far ? "; dates in its tables and in the log will not agree: run NTP on both" : ""));
  }

  void look_at_tls() {
    const std::string tls = ask(sql_.tls);
    if (tls == "no") {
      add(Level::kProblem, "tls",
          "the connection is not encrypted, so anyone in between can read the password and change "
          "answers; add ?tls=verify-full&ca=FILE to the URL");
    } else if (tls == "yes") {
      const std::string& address = options_.addresses.front();
      const bool verified = address.find("tls=verify-") != std::string::npos;
      add(verified ? Level::kFact : Level::kWarning, "tls",
          verified ? "the connection is encrypted, and the server's certificate is checked"
                   : "the connection is encrypted, but the server's certificate is not checked; "
                     "add ?tls=verify-full&ca=FILE to the URL");
    } else if (tls == "local") {
      add(Level::kFact, "tls", "the connection does not leave this machine");
    }
  }

  void look_at_proxies() {
    const std::string port = ask(sql_.port);
    const std::string& address = options_.addresses.front();
    std::smatch named;
    if (port.empty() || !std::regex_search(address, named, std::regex(":([0-9]+)/[^/]*$"))) return;
    if (named[1] == port) return;
    add(Level::kFact, "proxy",
        "the server that answers listens on port " + port + ", not " + named[1].str() +
            ": a proxy, a pooler or a port mapping is in between; see docs/operating/database.md "
            "for what it must not do");
  }

  void look_at_backups() {
    if (ask(sql_.log_kept) != "0") return;
    add(Level::kWarning, "backups",
        "the server keeps no log of its commits (log_bin, or archive_mode), so a restored backup "
        "lacks every lease since it was taken; turn it on, and after a restore advance every tag "
        "before any process starts");
  }

  void look_at_rights() {
    for (const ReportSql::Right& right : sql_.rights) {
      const Status status = query_database(options_, right.query).status();
      if (status.ok()) continue;
      add(right.level, "privileges",
          std::string("for ") + right.required_for + " the user requires " + right.privilege +
              ": " + status.message());
    }
  }

  void look_at_tags() {
    const std::unique_ptr<Store> store = open(options_.lossy_commits, options_.failover);
    if (!store) return;
    const Result<std::vector<TagInfo>> rows = store->list();
    if (!rows.ok()) return add(Level::kProblem, "tags", rows.status().message());
    for (Finding& finding : examine_tags(*rows)) findings_.push_back(std::move(finding));
    for (const std::string& line : lines_.take()) {
      if (line.find("which is not a whole number") != std::string::npos) {
        add(Level::kProblem, "tags", line);
      }
    }
  }

  // Whether ids may be leased here. Never takes the lead itself: that skips ids of every tag.
  bool look_at_leader() {
    if (sql_.leader == nullptr) return true;
    const std::string record = ask(sql_.leader);
    const std::size_t semicolon = record.find(';');
    if (semicolon == std::string::npos || record.substr(0, semicolon) == "0") {
      add(Level::kWarning, "leader",
          "no leader is on record, so a failover before the first lease would go unnoticed; run: "
          "featherid init");
      return false;
    }
    const std::string leader = "'" + record.substr(semicolon + 1) + "' leads, number " +
                               record.substr(0, semicolon) + " on record";
    if (options_.failover == Failover::kSynchronous) {
      add(Level::kFact, "leader", leader + "; failover = synchronous, so leases do not check it");
      return true;
    }
    const std::unique_ptr<Store> store = open(options_.lossy_commits, Failover::kStop);
    const Status probed = store ? store->probe() : Status();
    if (!probed.ok()) {
      const bool skips = probed.code() == StatusCode::kDataLoss && skips_at_failover(options_);
      add(Level::kProblem, "leader",
          skips ? leader +
                      ", but another server answers; the next lease records that server as the "
                      "leader and skips ids of every tag. Make sure that this is the server to use"
                : probed.message());
      return false;
    }
    add(Level::kFact, "leader", leader);
    return true;
  }

  void look_at_latency() {
    const bool guarded = options_.failover != Failover::kSynchronous;
    const std::unique_ptr<Store> store =
        open(options_.lossy_commits, guarded ? Failover::kStop : Failover::kSynchronous);
    if (!store) return;
    if (std::optional<Finding> measured = measure_leases(*store)) {
      add(measured->level, "latency", std::move(measured->text));
    }
  }

  StoreOptions options_;
  const ReportSql& sql_;
  Lines lines_;
  std::vector<Finding> findings_;
};

// --- versions ---

using Version = std::array<int, 3>;

struct Fault {
  const char* product;
  Version from;
  Version before;
  const char* what;
};

const char* const kWithdrawn =
    "its maker has withdrawn it, because it may not start again if there are many tables; upgrade";
const char* const kLostFsync =
    "after a failed write it may call commits durable that are lost, so ids could be issued twice; "
    "upgrade";
const char* const kEtcdAlone =
    "a cluster of one member may lose answered commits in a crash, so ids could be issued twice; "
    "upgrade";
const Fault kFaults[] = {
    {"MySQL",
     {8, 0, 29},
     {8, 0, 30},
     "its maker has withdrawn it, because it can damage tables whose columns were changed; "
     "upgrade"},
    {"MySQL", {8, 0, 38}, {8, 0, 39}, kWithdrawn},
    {"MySQL", {8, 4, 1}, {8, 4, 2}, kWithdrawn},
    {"MySQL", {9, 0, 0}, {9, 0, 1}, kWithdrawn},
    {"etcd", {0, 0, 0}, {3, 4, 21}, kEtcdAlone},
    {"etcd", {3, 5, 0}, {3, 5, 3}, "its members may differ after a crash; upgrade"},
    {"etcd", {3, 5, 3}, {3, 5, 5}, kEtcdAlone},
    {"PostgreSQL", {1, 0, 0}, {9, 4, 21}, kLostFsync},
    {"PostgreSQL", {9, 5, 0}, {9, 5, 16}, kLostFsync},
    {"PostgreSQL", {9, 6, 0}, {9, 6, 12}, kLostFsync},
    {"PostgreSQL", {10, 0, 0}, {10, 7, 0}, kLostFsync},
    {"PostgreSQL", {11, 0, 0}, {11, 2, 0}, kLostFsync},
    {"PostgreSQL",
     {14, 0, 0},
     {14, 4, 0},
     "CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY can damage an index; upgrade"},
};

// What it means to be near this end, and what to do.
std::string text_of(const SeriesEnd& end) {
  switch (end.kind) {
    case SeriesEnd::kCap:
      return "near its cap " + std::to_string(end.last_id) + "; raise it, or prepare another tag";
    case SeriesEnd::kAllIds:
      return "near the end of all ids (2^63 - 2); prepare another tag";
    case SeriesEnd::kDouble:
      return "near 2^53: JavaScript and other clients that read numbers as doubles will round "
             "ids; let them read ids as text";
    case SeriesEnd::kInt32:
      break;
  }
  return "near the end of int32 (2147483647); make sure that every column and client that holds "
         "its ids has 64 bits";
}

}  // namespace

std::string known_fault(const std::string& version) {
  const std::string product = version.substr(0, version.find(' '));
  Version number{};
  const char* text = version.c_str() + std::min(version.size(), product.size() + 1);
  std::sscanf(text, "%d.%d.%d", &number[0], &number[1], &number[2]);  // NOLINT: 0 if it has none
  for (const Fault& fault : kFaults) {
    if (product == fault.product && number >= fault.from && number < fault.before) {
      return fault.what;
    }
  }
  return "";
}

std::optional<Finding> measure_leases(Store& store) {
  std::vector<Clock::duration> times;
  const Clock::time_point begin = Clock::now();
  do {
    const Clock::time_point asked = Clock::now();
    const Result<IdRange> lease = store.lease(kTagForChecks, 1);
    if (lease.status().code() == StatusCode::kNotFound) return std::nullopt;
    if (!lease.ok()) {
      return Finding{Level::kProblem, "latency", "a lease failed: " + lease.status().message()};
    }
    times.push_back(Clock::now() - asked);
    static_cast<void>(store.give_back(kTagForChecks, *lease));
  } while (times.size() < kLeasesMeasured && Clock::now() - begin < kMeasuredForMax);
  std::sort(times.begin() + (times.size() > 1 ? 1 : 0), times.end());  // the first one connects
  const auto p = [&times](std::size_t percent) {
    return times[(times.size() - 1) * percent / 100];
  };
  const bool slow = p(99) > kSlowLease;
  return Finding{slow ? Level::kWarning : Level::kFact, "latency",
                 "a lease takes " + ms_text(p(50)) + " (median) and " + ms_text(p(99)) +
                     " (p99 of " + std::to_string(times.size()) + ") from here" +
                     (slow ? "; find out what is slow: the disk, the network or locks" : "")};
}

std::vector<Finding> examine_tags(const std::vector<TagInfo>& rows) {
  constexpr std::int64_t kSmallStep = 100;
  std::vector<Finding> findings;
  const auto add = [&findings](Level level, const SegmentRow& row, const std::string& text) {
    findings.push_back({level, "tags", "tag '" + row.tag + "' " + text});
  };
  for (const TagInfo& row : rows) {
    const std::string at = "is at " + std::to_string(row.max_id) + ", ";
    if (row.max_id < 0) {
      add(Level::kProblem, row, at + "so it cannot be served; set max_id to 0 or more");
    } else if (row.max_id >= kIdMax) {
      add(Level::kProblem, row, "has reached the end of its ids; use another tag");
    } else if (row.max_id >= row.cap) {
      add(Level::kProblem, row,
          "has reached its cap " + std::to_string(row.cap) +
              "; raise it (featherid tag set TAG --cap CAP), or use another tag");
    } else if (const std::optional<SeriesEnd> end = near_end(row.max_id, row.cap)) {
      add(end->kind == SeriesEnd::kAllIds ? Level::kProblem : Level::kWarning, row,
          at + text_of(*end));
    }
    if (row.step <= 0) {
      add(Level::kProblem, row,
          "has step " + std::to_string(row.step) +
              ", so it cannot be served; run: featherid tag "
              "set TAG --step 1000");
    } else if (row.step < kSmallStep) {
      add(Level::kWarning, row,
          "has step " + std::to_string(row.step) +
              ", so a process that starts waits for the "
              "database again and again until it knows the rate; run: featherid tag set TAG --step "
              "1000");
    }
  }
  return findings;
}

const ReportSql& mysql_report() {
  static const ReportSql sql = {
      "SELECT CONCAT(/*!50700 'MySQL ' *//*M! 'MariaDB ' */, VERSION())",
      "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000",
      "SELECT CASE WHEN SUBSTRING_INDEX(USER(), '@', -1) IN ('localhost', '127.0.0.1', '::1') "
      "THEN 'local' WHEN (SELECT variable_value FROM /*!50700 performance_schema.session_status "
      "*//*M! information_schema.session_status */ WHERE variable_name = 'Ssl_cipher') <> '' "
      "THEN 'yes' ELSE 'no' END",
      "SELECT @@port",
      "SELECT CONCAT(term >> 32, ';', server) FROM id_leader WHERE id = 1",
      "SELECT CASE WHEN @@log_bin THEN '1' ELSE '0' END",
      rights()};
  return sql;
}

const ReportSql& postgresql_report() {
  static const ReportSql sql = {
      "SELECT 'PostgreSQL ' || current_setting('server_version')",
      "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)",
      "SELECT CASE WHEN inet_client_addr() IS NULL OR inet_client_addr() <<= inet '127.0.0.0/8' "
      "OR inet_client_addr() = inet '::1' THEN 'local' WHEN (SELECT ssl FROM pg_stat_ssl "
      "WHERE pid = pg_backend_pid()) THEN 'yes' ELSE 'no' END",
      "SELECT inet_server_port()",
      "SELECT (term >> 32) || ';' || server FROM id_leader WHERE id = 1",
      "SELECT CASE current_setting('archive_mode') WHEN 'off' THEN '0' ELSE '1' END",
      rights()};
  return sql;
}

const ReportSql& sqlite3_report() {
  static const ReportSql sql = {
      "SELECT 'SQLite ' || sqlite_version()", nullptr, nullptr, nullptr, nullptr, nullptr, {}};
  return sql;
}

std::vector<Finding> examine_database(const StoreOptions& options, const ReportSql& sql) {
  return Examination(options, sql).run();
}

}  // namespace featherid
