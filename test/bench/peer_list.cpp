// SPDX-License-Identifier: MIT
#include "test/bench/peer_list.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "featherid/soci_store.h"
#include "test/bench/http_servers.h"
#include "test/bench/remote_clients.h"
#include "test/support/mariadb_server.h"
#include "test/support/ports.h"
#include "test/support/postgresql_server.h"
#include "test/support/raw_sql.h"
#include "test/support/scratch_dir.h"

namespace featherid::bench {

namespace {

void check(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

// A server that can be killed and started again. Its port may change then, while clients ask for
// it.
class Restartable {
 public:
  using Start = std::function<std::unique_ptr<HttpServerProcess>(const test::ScratchDir& scratch)>;
  explicit Restartable(Start start_process) : start_process_(std::move(start_process)) { start(); }

  int port() const { return port_; }
  Part part() {
    return {"server", [this] { process_->kill(); }, [this] { start(); }};
  }

 private:
  void start() {
    process_ = start_process_(scratch_);
    port_ = process_->port();
  }

  const test::ScratchDir scratch_;
  const Start start_process_;
  std::unique_ptr<HttpServerProcess> process_;
  std::atomic<int> port_{0};
};

template <typename Server>
Part database_part(Server& server) {
  return {"database", [&server] { server.stop(SIGKILL); }, [&server] { server.start(); }};
}

}  // namespace

// What the peers share. Each server starts when it is first asked for.
class PeerServers {
 public:
  test::PostgresqlServer& postgresql() {
    if (!postgresql_) {
      // As installed, but for more sessions and the usual memory.
      postgresql_.emplace(
          std::vector<std::string>{"-c", "max_connections=1100", "-c", "shared_buffers=128MB"});
      test::RawSql sql(postgresql_->url());
      sql.run("CREATE SEQUENCE ids");
      sql.run("CREATE SEQUENCE cached_ids CACHE 1000");
    }
    return *postgresql_;
  }

  test::MariadbServer& mariadb() {
    if (!mariadb_) {
      mariadb_.emplace(std::vector<std::string>{"--max-connections=1100",
                                                "--innodb-buffer-pool-size=128M",
                                                "--innodb-log-file-size=96M", "--back-log=1100"});
      test::RawSql sql(mariadb_->url());
      sql.run("CREATE SEQUENCE ids");
      sql.run("CREATE SEQUENCE plain_ids NOCACHE");
      make_tags(mariadb_->url());
    }
    return *mariadb_;
  }

  // Over MariaDB. Its Redis protocol is at redis_port().
  Restartable& featherid() {
    if (!featherid_) {
      featherid_.emplace([this](const test::ScratchDir& scratch) {
        return start_featherid(scratch, mariadb().url(), {},
                               {"--resp-listen", "127.0.0.1:" + std::to_string(redis_port_)});
      });
    }
    return *featherid_;
  }
  int redis_port() const { return redis_port_; }

  Restartable& redis(const std::string& name, const std::vector<std::string>& options) {
    const auto start = [name, options](const test::ScratchDir& scratch) {
      return start_redis(scratch, name, options);
    };
    return redis_.try_emplace(name, start).first->second;
  }

  std::string file(const std::string& name) const { return scratch_.file(name); }

 private:
  // Each with the default step.
  static void make_tags(const std::string& url) {
    check(init_soci_schema(url));
    const Result<std::unique_ptr<Store>> store = open_soci_store(url);
    check(store.status());
    for (const char* tag : {"embedded", "http", "redis"}) check((*store)->create(tag, 1000));
  }

  const test::ScratchDir scratch_;
  const int redis_port_ = test::free_port();
  std::optional<test::PostgresqlServer> postgresql_;
  std::optional<test::MariadbServer> mariadb_;
  std::optional<Restartable> featherid_;  // ends before its database
  std::map<std::string, Restartable> redis_;
};

namespace {

Peer redis_peer(PeerServers& servers, const std::string& name, const std::string& what,
                const std::vector<std::string>& options = {}) {
  Restartable& server = servers.redis(name, options);
  Peer peer{name, what, [&server] { return connect_redis(server.port(), "order"); }};
  peer.parts = {server.part()};
  peer.parts.front().name = "database";
  peer.same_outage = !options.empty();
  return peer;
}

Peer postgresql_peer(PeerServers& servers, const std::string& name, const std::string& what,
                     const std::string& sequence) {
  test::PostgresqlServer& server = servers.postgresql();
  const std::string statement = "SELECT nextval('" + sequence + "')";
  Peer peer{name, what,
            [url = server.url(), statement] { return connect_postgresql(url, statement); }};
  peer.parts = {database_part(server)};
  peer.same_outage = sequence != "ids";
  return peer;
}

Peer mariadb_peer(PeerServers& servers, const std::string& name, const std::string& what,
                  const std::string& sequence) {
  test::MariadbServer& server = servers.mariadb();
  const std::string statement = "SELECT NEXT VALUE FOR " + sequence;
  Peer peer{name, what, [port = server.port(), statement] {
              return connect_mariadb(port, "featherid", test::MariadbServer::password(), statement);
            }};
  peer.parts = {database_part(server)};
  peer.same_outage = sequence != "ids";
  return peer;
}

// Their processes are those of the application.
Peer local_peer(const std::string& name, const std::string& what,
                const std::vector<std::string>& arguments, int batch) {
  Peer peer{name, what, nullptr, arguments, batch};
  peer.counts = arguments.front() != "uuid_v7";
  return peer;
}

Peer embedded_peer(PeerServers& servers, const std::string& name, const std::string& what) {
  Peer peer = local_peer(name, what, {"embedded", servers.mariadb().url(), "embedded"}, 64);
  peer.parts = {database_part(servers.mariadb())};
  peer.leases = true;
  return peer;
}

Peer served_peer(PeerServers& servers, const std::string& name, const std::string& what) {
  Restartable& server = servers.featherid();
  Peer peer{name, what, nullptr};
  if (name == "featherid_http") {
    peer.connect = [&server] {
      return connect_http("http://127.0.0.1:" + std::to_string(server.port()) +
                          "/api/v1/id?biz_tag=http");
    };
  } else {
    peer.connect = [port = servers.redis_port()] { return connect_redis(port, "redis"); };
  }
  peer.parts = {server.part(), database_part(servers.mariadb())};
  peer.leases = true;
  return peer;
}

struct Entry {
  const char* name;
  const char* what;
  Peer (*open)(PeerServers& servers, const std::string& name, const std::string& what);
};

const Entry kEntries[] = {
    {"featherid_embedded", "FeatherID in the process, over MariaDB", embedded_peer},
    {"featherid_redis", "FeatherID over the Redis protocol", served_peer},
    {"featherid_http", "FeatherID over HTTP", served_peer},
    {"uuid_v7", "UUIDv7 in the process",
     [](PeerServers&, const std::string& name, const std::string& what) {
       return local_peer(name, what, {"uuid_v7"}, 64);
     }},
    {"redis", "Redis `INCR`, as installed (snapshots)",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       return redis_peer(servers, name, what);
     }},
    {"redis_everysec", "Redis `INCR`, `appendfsync everysec`",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       return redis_peer(servers, name, what, {"--appendonly", "yes"});
     }},
    {"redis_always", "Redis `INCR`, `appendfsync always`",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       return redis_peer(servers, name, what, {"--appendonly", "yes", "--appendfsync", "always"});
     }},
    {"postgresql", "PostgreSQL `nextval`",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       return postgresql_peer(servers, name, what, "ids");
     }},
    {"postgresql_cache", "PostgreSQL `nextval`, `CACHE 1000`",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       return postgresql_peer(servers, name, what, "cached_ids");
     }},
    {"mariadb", "MariaDB sequence (`CACHE 1000`)",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       return mariadb_peer(servers, name, what, "ids");
     }},
    {"mariadb_nocache", "MariaDB sequence, `NOCACHE`",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       return mariadb_peer(servers, name, what, "plain_ids");
     }},
    {"sqlite", "SQLite, a row in a WAL file",
     [](PeerServers& servers, const std::string& name, const std::string& what) {
       Peer peer = local_peer(name, what, {"sqlite", servers.file("sqlite.db")}, 1);
       peer.clients_max = 16;
       return peer;
     }},
};

}  // namespace

PeerList::PeerList() : servers_(std::make_unique<PeerServers>()) {}
PeerList::~PeerList() = default;

std::vector<std::string> PeerList::names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) names.emplace_back(entry.name);
  return names;
}

Peer PeerList::open(const std::string& name) {
  for (const Entry& entry : kEntries) {
    if (name == entry.name) return entry.open(*servers_, entry.name, entry.what);
  }
  throw std::runtime_error("no peer has the name " + name);
}

Peer PeerList::at_url(const std::string& name_and_url) {
  const std::size_t equals = name_and_url.find('=');
  if (equals == std::string::npos) {
    throw std::runtime_error(name_and_url + " is not NAME=http://host:port/path");
  }
  const std::string url = name_and_url.substr(equals + 1);
  return {name_and_url.substr(0, equals), url, [url] { return connect_http(url); }};
}

}  // namespace featherid::bench
