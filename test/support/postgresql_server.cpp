// SPDX-License-Identifier: MIT
#include "test/support/postgresql_server.h"

#include <fstream>
#include <stdexcept>
#include <utility>

#include "test/support/frozen.h"
#include "test/support/ports.h"
#include "test/support/wait_until.h"

namespace featherid::test {

namespace {

// Debian keeps the server's programs out of PATH, in a folder for each version.
std::string find_programs() {
  std::string found;
  std::error_code error;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", error)) {
    const std::filesystem::path programs = version.path() / "bin";
    if (std::filesystem::exists(programs / "postgres")) found = std::max(found, programs.string());
  }
  if (found.empty())
    throw std::runtime_error("no /usr/lib/postgresql/*/bin/postgres; install postgresql");
  return found;
}

// Whether a killed process may still have its memory: it is neither gone nor a zombie. (Its statm
// is empty shortly before it releases shared memory.)
bool has_memory(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);  // "123 (postgres: a name) Z …"
  const std::size_t state = stat.rfind(") ");
  return state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
}

}  // namespace

PostgresqlServer::PostgresqlServer(std::vector<std::string> more_flags)
    : port_(free_port()), programs_(find_programs()), more_flags_(std::move(more_flags)) {
  make_folders();
  std::ofstream(scratch_.file("password")) << password() << "\n";
  ChildProcess::Options as_server;
  as_server.user = "postgres";
  run({program("initdb"), "--pgdata=" + scratch_.file("run/data"), "--username=featherid",
       "--pwfile=" + scratch_.file("password"), "--auth=scram-sha-256", "--encoding=UTF8",
       "--locale=C.UTF-8", "--no-sync"},
      as_server);
  start();
  ChildProcess::Options with_password;
  with_password.environment = {"PGPASSWORD=" + password()};
  run({program("createdb"), "--host=127.0.0.1", "--port=" + std::to_string(port_),
       "--username=featherid", "ids"},
      with_password);
}

PostgresqlServer::PostgresqlServer(const PostgresqlServer& primary)
    : port_(free_port()), programs_(primary.programs_) {
  make_folders();
  ChildProcess::Options options;
  options.user = "postgres";
  options.environment = {"PGPASSWORD=" + password()};
  run({program("pg_basebackup"), "--pgdata=" + scratch_.file("run/data"), "--host=127.0.0.1",
       "--port=" + std::to_string(primary.port()), "--username=featherid", "--checkpoint=fast",
       "--write-recovery-conf", "--no-sync"},
      options);
  start();
}

void PostgresqlServer::make_folders() {
  std::filesystem::create_directory(scratch_.path() / "run");
  std::filesystem::permissions(scratch_.path() / "run", std::filesystem::perms::all);
}

void PostgresqlServer::start() {
  std::vector<std::string> argv = {program("postgres"),
                                   "-D",
                                   scratch_.file("run/data"),
                                   "-p",
                                   std::to_string(port_),
                                   "-c",
                                   "listen_addresses=127.0.0.1",
                                   "-c",
                                   "unix_socket_directories=" + scratch_.file("run"),
                                   "-c",
                                   "shared_buffers=16MB",
                                   "-c",
                                   "max_connections=50"};
  argv.insert(argv.end(), more_flags_.begin(), more_flags_.end());
  ChildProcess::Options options;
  options.user = "postgres";
  options.output_file = scratch_.file("log");
  process_.emplace(argv, options);
  const auto is_ready = [&] {
    ChildProcess::Options quiet;
    quiet.output_file = scratch_.file("pg_isready");
    ChildProcess asked(
        {program("pg_isready"), "--host=127.0.0.1", "--port=" + std::to_string(port_)}, quiet);
    return asked.wait(std::chrono::seconds(10)) == 0;
  };
  const bool ready =
      wait_until([&] { return process_->wait(std::chrono::milliseconds(0)) || is_ready(); },
                 std::chrono::minutes(3));
  if (!ready || process_->wait(std::chrono::milliseconds(0))) {
    throw std::runtime_error("postgres does not start: " + read_file(scratch_.file("log")));
  }
}

std::vector<pid_t> PostgresqlServer::pids() const {
  const std::string pid = std::to_string(process_->pid());
  std::vector<pid_t> pids = {process_->pid()};
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;) pids.push_back(child);
  return pids;
}

void PostgresqlServer::stop(int signal_number) {
  if (!process_) return;
  std::vector<pid_t> killed;
  if (signal_number == SIGKILL && !process_->wait(std::chrono::milliseconds(0))) {
    const Frozen frozen(process_->pid());  // it starts no more of them
    killed = pids();
    for (const pid_t pid : killed) ::kill(pid, SIGKILL);
  }
  process_->stop(signal_number);
  // The next postmaster does not start while one of them still has the shared memory.
  for (const pid_t pid : killed) {
    if (!wait_until([&] { return !has_memory(pid); })) throw std::runtime_error("postgres goes on");
  }
}

std::string PostgresqlServer::url(const std::string& database) const {
  return "postgresql://featherid:p%40ss%3Aw%2Fd%25'%5C%201@127.0.0.1:" + std::to_string(port_) +
         "/" + database;
}

}  // namespace featherid::test
