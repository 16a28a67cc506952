// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONFIG_H_
#define FEATHERID_SERVER_CONFIG_H_

#include <spdlog/common.h>

#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "featherid/segment_allocator.h"
#include "server/advance.h"
#include "server/environment.h"
#include "server/http/http_options.h"
#include "server/log_files.h"
#include "server/logging.h"

namespace featherid {

// A setting as it was given.
struct Given {
  std::string origin;  // "--listen", "FEATHERID_LISTEN" or "ids.toml: listen"
  std::string text;
  bool by_default = false;  // by nobody
};
using GivenByName = std::map<std::string, Given>;

// Everything that can be set. The defaults stand in the table of settings in config.cpp.
struct Config {
  asio::ip::tcp::endpoint listen;
  std::string tls_cert_file;  // both, or neither; loaded into http.tls
  std::string tls_key_file;
  std::vector<std::string> databases;  // addresses of one database, the preferred first
  std::string database_file;           // that they come from; empty: from none
  std::string failover;                // "skip", "stop" or "synchronous"
  std::int64_t failover_guard_ids = 0;
  std::string lossy_commits;       // "refuse" or "allow"
  bool init_schema = false;        // then end
  bool check_config = false;       // then end
  std::optional<Advance> advance;  // then end
  spdlog::level::level_enum log_level = spdlog::level::info;
  LogFormat log_format = LogFormat::kText;
  LogFilesOptions log_files;  // no files while dir is empty
  std::string admin_token_file;
  std::vector<std::string> admin_tokens;  // of the file and of the environment
  int metrics_tags_max = 0;
  std::int64_t max_batch_ids = 0;
  std::chrono::seconds call_timeout{0};  // of the store
  HttpOptions http;
  AllocatorOptions allocator;
  GivenByName given;                  // what each setting of the table was set to
  std::vector<std::string> warnings;  // for the log
};

// The exit codes of featherid-server.
constexpr int kExitFailure = 1;  // what the configuration asks for cannot be done
constexpr int kExitUsage = 2;    // the configuration is wrong

// The result of reading the configuration: it, or what to print before the program ends.
struct ConfigOutcome {
  std::optional<Config> config;
  int exit_code =
      0;  // 0: `text` goes to standard output; else it is one line that says what is wrong
  std::string text;
};

// Flags before environment before file; whatever is given is checked, even where it is overruled. A
// variable that is there but empty is an empty value. One that begins with FEATHERID_ and is not
// known is a warning, or an error if it may be meant for the database and none is configured.
// `arguments` does not hold the program's name.
ConfigOutcome read_config(std::vector<std::string> arguments, const Environment& environment);

// The settings whose text has changed, as "--name".
struct ConfigChange {
  std::vector<std::string> taken_over;
  std::vector<std::string> need_restart;
};

// Takes over from `fresh` what may change while the server runs, tokens and certificate too, whose
// files may have changed behind their names. The rest of `running` stays.
ConfigChange take_over(const Config& fresh, Config* running);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONFIG_H_
