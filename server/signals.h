// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_SIGNALS_H_
#define FEATHERID_SERVER_SIGNALS_H_

#include <asio/signal_set.hpp>
#include <functional>
#include <memory>

#include "server/api/auth.h"
#include "server/config/config.h"
#include "server/log/log_files.h"
#include "server/net/net_server.h"
#include "server/ops/service_manager.h"

namespace featherid {

// SIGTERM and SIGINT drain the server. A second one stops it at once. SIGHUP reopens the log files
// and applies the settings that may change while the server runs. It acts on the server's main
// loop, and everything that is passed in must outlive it. A signal that comes after its end does
// nothing: the server has stopped, and a late signal must not change its exit code.
class Signals {
 public:
  using ReadConfig = std::function<ConfigOutcome()>;

  Signals(const Config& config, ReadConfig read_again, NetServer& server, Auth& auth,
          std::shared_ptr<LogFiles> log_files, const ServiceManager& manager);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void wait();
  void handle(int number);
  void reload();

  Config config_;
  const ReadConfig read_again_;
  NetServer& server_;
  Auth& auth_;
  const std::shared_ptr<LogFiles> log_files_;
  const ServiceManager& manager_;
  asio::signal_set signals_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_SIGNALS_H_
