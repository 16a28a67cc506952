// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONFIG_CONFIG_H_
#define FEATHERID_SERVER_CONFIG_CONFIG_H_

#include <spdlog/common.h>

#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "featherid/id_scramble.h"
#include "featherid/segment_allocator.h"
#include "server/api/advance.h"
#include "server/api/auth.h"
#include "server/config/environment.h"
#include "server/log/log_files.h"
#include "server/log/logging.h"
#include "server/net/net_options.h"
#include "server/store/auto_create.h"
#include "server/store/stores.h"

namespace featherid {

// The value of a setting and where it came from.
struct Given {
  std::string origin;  // "--listen", "FEATHERID_LISTEN" or "ids.toml: listen"
  std::string text;
  bool by_default = false;  // nobody gave it
};
using GivenByName = std::map<std::string, Given>;

// The server that `featherid` works through.
struct RemoteServer {
  std::string url;  // without a path; empty: none, it works on the database
  std::string ca_file;
  std::string token_file;
};

// All settings. Their defaults are in the table in settings.cpp.
struct Config {
  asio::ip::tcp::endpoint listen;
  std::optional<asio::ip::tcp::endpoint> resp_listen;  // nothing: no Redis protocol
  std::string tls_cert_file;                           // both, or neither; loaded into net.tls
  std::string tls_key_file;
  StoreOptions store;
  RemoteServer remote;
  AutoCreateOptions auto_create;
  std::chrono::milliseconds wait_for_database{0};  // at the start
  bool init_schema = false;                        // then end
  bool check_config = false;                       // then end
  std::optional<Advance> advance;                  // then end
  spdlog::level::level_enum log_level = spdlog::level::info;
  LogFormat log_format = LogFormat::kText;
  LogFilesOptions log_files;  // no files if dir is empty
  std::string admin_token_file;
  std::vector<Token> tokens;  // from the file and the environment
  std::string scramble_key_file;
  std::optional<ScrambleKeys> scramble_keys;
  int metrics_tags_max = 0;
  bool console = true;
  std::int64_t max_batch_ids = 0;
  NetOptions net;
  AllocatorOptions allocator;
  GivenByName given;                  // the value of each setting of the table
  std::vector<std::string> warnings;  // for the log
};

// The exit codes of featherid-server.
constexpr int kExitFailure = 1;  // the server cannot do what the configuration asks for
constexpr int kExitUsage = 2;    // the configuration is wrong

// The result of reading the configuration: the configuration, or what to print before the program
// exits.
struct ConfigOutcome {
  std::optional<Config> config;
  int exit_code =
      0;  // 0: `text` goes to standard output; else it is one line that says what is wrong
  std::string text;
};

// Flags override the environment, and the environment overrides the file. Every value is checked,
// even if another one overrides it. An empty variable is an empty value. An unknown variable that
// begins with FEATHERID_ is a warning. It is an error if it may be meant for the database and no
// database is configured. `arguments` does not include the program's name.
ConfigOutcome read_config(const std::vector<std::string>& arguments,
                          const Environment& environment);

// The settings whose value has changed, as "--name".
struct ConfigChange {
  std::vector<std::string> taken_over;
  std::vector<std::string> need_restart;
};

// Copies from `fresh` to `running` what may change while the server runs. That includes tokens and
// certificate, because their files may have changed under the same names. The rest of `running`
// stays.
ConfigChange take_over(const Config& fresh, Config* running);

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONFIG_CONFIG_H_
