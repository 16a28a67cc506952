// SPDX-License-Identifier: MIT
// featherid-server: reads the configuration, builds the parts of the server and runs them until it
// is told to stop.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <asio/signal_set.hpp>
#include <asio/thread_pool.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "featherid/segment_allocator.h"
#include "featherid/soci_store.h"
#include "featherid/version.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/http/http_server.h"
#include "server/logging.h"
#include "server/metrics.h"
#include "server/readiness.h"
#include "server/routes/admin.h"
#include "server/routes/ids.h"
#include "server/routes/ops.h"
#include "server/service_manager.h"
#include "server/write_in_time.h"

namespace featherid {
namespace {

constexpr int kStoreThreads = 2;  // besides the refill: one in each pool below

constexpr std::chrono::seconds kReaderMax{1};  // for output that nobody may read

// If one of them is closed, a file or a client's socket would get its number, and would receive
// what is written to it.
void open_standard_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = ::open("/dev/null", O_RDWR);
  if (fd >= 0) ::close(fd);
}

// Prints one line on standard error, for use before the log is open.
void say(const std::string& message) {
  write_in_time(STDERR_FILENO, "featherid-server: " + message + "\n", kReaderMax);
}

int fail(int exit_code, const std::string& message) {
  say(message);
  return exit_code;
}

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

// Raises the limit of open files to its hard limit, and keeps the number of connections below it. A
// flood of connections must not use up the descriptors that the store needs.
HttpOptions within_descriptor_limit(HttpOptions options) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return options;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const int within = HttpServer::connections_within(limit.rlim_max);
  if (within < options.connections_max) {
    spdlog::warn("--max-connections {} is lowered to {}, because the limit of open files is {}",
                 options.connections_max, within, limit.rlim_max);
    options.connections_max = within;
  }
  return options;
}

void announce(const char* scheme, asio::ip::tcp::endpoint endpoint, const std::string& database) {
  std::ostringstream text;
  text << "featherid-server " FEATHERID_VERSION " ready on " << scheme << endpoint << " ("
       << database << ")\n";
  if (endpoint.address().is_unspecified()) {  // every address; a client requires a specific one
    endpoint.address(endpoint.protocol() == asio::ip::tcp::v4()
                         ? asio::ip::address(asio::ip::address_v4::loopback())
                         : asio::ip::address_v6::loopback());
  }
  text << "try: curl '" << scheme << endpoint << "/api/v1/id?biz_tag=order'\n";
  write_in_time(STDOUT_FILENO, text.str(), kReaderMax);
}

Environment environment_variables() {
  Environment variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

using ReadConfig = std::function<ConfigOutcome()>;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void log_warnings(const Config& config) {
  for (const std::string& warning : config.warnings) spdlog::warn("{}", warning);
}

// SIGTERM and SIGINT drain the server. A second one stops it at once. SIGHUP reopens the log files
// and applies the settings that may change while the server runs.
class Signals {
 public:
  Signals(const Config& config, ReadConfig read_again, HttpServer& server, Auth& auth,
          std::shared_ptr<LogFiles> log_files, const ServiceManager& manager)
      : config_(config),
        read_again_(std::move(read_again)),
        server_(server),
        auth_(auth),
        log_files_(std::move(log_files)),
        manager_(manager),
        signals_(server.main_loop(), SIGTERM, SIGINT, SIGHUP) {
    wait();
  }
  // From here on the server has stopped. A late signal must not change its exit code.
  ~Signals() {
    asio::error_code ignored;
    signals_.clear(ignored);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) std::signal(number, SIG_IGN);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void wait() {
    signals_.async_wait([this](asio::error_code error, int number) {
      if (!error) handle(number);
    });
  }

  void handle(int number) {
    if (number == SIGHUP) {
      manager_.reloading();
      if (log_files_) log_files_->reopen();
      spdlog::info("SIGHUP: reopening the log files");
      reload();
      manager_.ready();
    } else if (server_.draining()) {
      spdlog::warn("a second signal: stopping at once");
      return server_.stop();
    } else {
      spdlog::info("{}: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
      manager_.stopping();
      server_.drain();
    }
    wait();
  }

  void reload() {
    const ConfigOutcome fresh = read_again_();
    if (!fresh.config) {
      return spdlog::error("SIGHUP: {}; the configuration stays as it was", fresh.text);
    }
    const spdlog::level::level_enum level_before = config_.log_level;
    const ConfigChange change = take_over(*fresh.config, &config_);
    server_.change_options(within_descriptor_limit(config_.http));
    auth_.change(config_.admin_tokens, config_.http.tls != nullptr);
    // A level that a request has set stays, unless the configured level has changed. The lines
    // about the change are logged if either the old or the new level allows it.
    spdlog::logger& logger = *spdlog::default_logger();
    const auto level = config_.log_level != level_before ? config_.log_level : logger.level();
    logger.set_level(std::min(level, logger.level()));
    log_warnings(config_);
    spdlog::info("SIGHUP: tokens and certificate were read again; settings that changed: {}",
                 change.taken_over.empty() ? "none" : joined(change.taken_over));
    if (!change.need_restart.empty()) {
      spdlog::warn("SIGHUP: a change of {} requires a restart", joined(change.need_restart));
    }
    logger.set_level(level);
  }

  Config config_;
  const ReadConfig read_again_;
  HttpServer& server_;
  Auth& auth_;
  const std::shared_ptr<LogFiles> log_files_;
  const ServiceManager& manager_;
  asio::signal_set signals_;
};

std::string redacted(const std::vector<std::string>& urls) {
  std::vector<std::string> texts;
  for (const std::string& url : urls) texts.push_back(redact_database_url(url));
  return joined(texts);
}

int serve(const Config& config, const ReadConfig& read_again, std::shared_ptr<Store> store,
          const std::shared_ptr<LogFiles>& log_files) {
  const std::string database = redacted(config.databases);
  SegmentAllocator allocator(store, config.allocator);
  // A separate pool, so that /readyz does not wait behind moves of tags.
  asio::thread_pool readiness_pool(1);
  asio::thread_pool admin_pool(1);
  Readiness readiness(store, allocator, readiness_pool);
  Auth auth(config.admin_tokens, config.http.tls != nullptr);
  Router router([&auth](Exchange& exchange) { return auth.may_change(exchange); });
  HttpServer server(within_descriptor_limit(config.http), router);
  add_id_routes(router, allocator, config.max_batch_ids);
  add_admin_routes(router, std::move(store), admin_pool);
  Metrics metrics(static_cast<std::size_t>(config.metrics_tags_max), [&] {
    MetricsSnapshot now;
    now.tags = allocator.stats();
    now.lease_latency = allocator.lease_latency();
    now.store_up = readiness.store_status().value_or(Status(StatusCode::kUnavailable, "")).ok();
    now.http = server.stats();
    now.log_lines_overrun = log_lines_overrun();
    now.log_lines_lost = log_lines_lost_on_stderr() + (log_files ? log_files->lines_lost() : 0);
    return now;
  });
  add_ops_routes(router, readiness, metrics, [&server] { return server.draining(); });

  if (const Status bad = server.listen(config.listen); !bad.ok()) {
    return fail(kExitFailure, "--listen: " + text_of(config.listen) + ": " + bad.message());
  }
  const ServiceManager manager(std::getenv("NOTIFY_SOCKET"));
  const Signals signals(config, read_again, server, auth, log_files, manager);
  const char* const scheme = config.http.tls ? "https://" : "http://";
  spdlog::info("listening on {}{}, ids from {}", scheme, text_of(server.endpoint()), database);
  announce(scheme, server.endpoint(), database);
  readiness.ask_store([&readiness] {
    const Status store_status = readiness.store_status().value_or(Status());
    if (!store_status.ok()) spdlog::warn("no ids can be leased yet: {}", store_status.message());
  });
  manager.ready();
  server.run();

  // Nobody waits for a call of the store any more. Calls that have not begun are dropped; the
  // others end while unused ids are given back. Threads that may still resume a request must end
  // before the server, which owns it.
  readiness_pool.stop();
  admin_pool.stop();
  const std::int64_t returned_ids = allocator.shutdown();
  readiness_pool.join();
  admin_pool.join();
  spdlog::info("stopped; {} unused ids went back to {}", returned_ids, database);
  return EXIT_SUCCESS;
}

// SQLite would create it, with every tag at 0.
bool is_missing_sqlite_file(const std::string& url) {
  const std::string file = sqlite3_file_of(url);
  std::error_code ignored;
  return !file.empty() && !std::filesystem::exists(file, ignored);
}

int advance_and_say(const Config& config, Store& store) {
  const Advance& advance = *config.advance;
  if (is_missing_sqlite_file(config.databases.front())) {
    return fail(kExitFailure, "--advance: there is no " + config.databases.front());
  }
  const Result<std::int64_t> before = run_advance(store, advance, "--allow-backward");
  if (!before.ok()) return fail(kExitFailure, "--advance: " + before.status().message());
  std::printf("tag '%s' was at %lld and is at %lld now\n", advance.tag.c_str(),
              static_cast<long long>(*before), static_cast<long long>(advance.max_id));
  if (*before > advance.max_id) std::printf("moved backward: %s\n", kBackwardWarning);
  return EXIT_SUCCESS;
}

int init_schema_and_say(const Config& config, const SociStoreOptions& options) {
  std::vector<std::string> made;
  if (const Status bad = init_soci_schema(config.databases, options, &made); !bad.ok()) {
    return fail(kExitFailure, "--init-schema: " + bad.message());
  }
  const bool is_sqlite = config.databases.front().rfind("sqlite3:", 0) == 0;
  const std::string tables = name_soci_tables(
      is_sqlite ? "the table id_segments exists" : "the tables id_segments and id_leader exist",
      config.databases.front());
  std::printf("%s; tags created: %s (%s)\n", tables.c_str(),
              made.empty() ? "none" : joined(made).c_str(), redacted(config.databases).c_str());
  return EXIT_SUCCESS;
}

SociStoreOptions store_options_of(const Config& config) {
  SociStoreOptions options;
  options.call_timeout = config.call_timeout;
  options.sessions_max = std::min(64, config.allocator.refill_threads + kStoreThreads);
  options.failover = config.failover == "skip"   ? Failover::kSkip
                     : config.failover == "stop" ? Failover::kStop
                                                 : Failover::kSynchronous;
  options.failover_guard_ids = config.failover_guard_ids;
  options.database_file = config.database_file;
  options.lossy_commits =
      config.lossy_commits == "allow" ? LossyCommits::kAllow : LossyCommits::kRefuse;
  options.warn = [](const std::string& warning) { spdlog::warn("{}", warning); };
  return options;
}

int run(const Config& config, const ReadConfig& read_again) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // so a limit on file sizes is an error of the write

  const SociStoreOptions store_options = store_options_of(config);
  Result<std::unique_ptr<Store>> store = open_soci_store(config.databases, store_options);
  if (!store.ok()) {
    const char* const setting = config.database_file.empty() ? "database" : "database-file";
    return fail(kExitUsage, config.given.at(setting).origin + ": " + store.status().message());
  }
  if (config.check_config || config.advance || config.init_schema) {
    for (const std::string& warning : config.warnings) say(warning);
  }
  if (config.check_config) {
    std::puts("the configuration is valid");
    return EXIT_SUCCESS;
  }
  if (config.advance) return advance_and_say(config, **store);
  if (config.init_schema) return init_schema_and_say(config, store_options);

  std::shared_ptr<LogFiles> log_files;
  if (!config.log_files.dir.empty()) {
    Result<std::shared_ptr<LogFiles>> opened = LogFiles::open(config.log_files);
    if (!opened.ok()) return fail(kExitFailure, "--log-dir: " + opened.status().message());
    log_files = *std::move(opened);
  }
  start_logging(config.log_level, config.log_format, log_files);
  log_warnings(config);
  const int exit_code = serve(config, read_again, *std::move(store), log_files);
  stop_logging();
  return exit_code;
}

}  // namespace
}  // namespace featherid

int main(int argc, char** argv) {
  featherid::open_standard_descriptors();
  const featherid::ReadConfig read = [argc, argv] {
    return featherid::read_config({argv + 1, argv + argc}, featherid::environment_variables());
  };
  const featherid::ConfigOutcome outcome = read();
  if (outcome.config) {
    featherid::Config config = *outcome.config;
    config.allocator.log = featherid::log_core;
    const int exit_code = featherid::run(config, read);
    if (!featherid::soci_threads_left_behind()) return exit_code;
    std::fflush(nullptr);
    ::_exit(exit_code);
  }
  if (outcome.exit_code != 0) return featherid::fail(outcome.exit_code, outcome.text);
  std::puts(outcome.text.c_str());
  return EXIT_SUCCESS;
}
