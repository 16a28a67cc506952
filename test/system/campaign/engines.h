// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_ENGINES_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_ENGINES_H_

#include <memory>

#include "test/system/campaign/engine.h"

namespace featherid::campaign {

std::unique_ptr<Engine> make_sqlite_engine();  // several processes on one file
std::unique_ptr<Engine> make_mariadb_engine();
std::unique_ptr<Engine> make_mariadb_haproxy_engine();  // the same behind an HAProxy in mode tcp
// A primary, and an asynchronous replica that replaces it without the last leases.
std::unique_ptr<Engine> make_mariadb_replica_engine();
std::unique_ptr<Engine> make_mysql_engine();
std::unique_ptr<Engine> make_mysql_replica_engine();
std::unique_ptr<Engine> make_galera_engine();  // three nodes
// Nodes that all crash, too. Their logs reach the disk at each commit, or a second later.
std::unique_ptr<Engine> make_galera_crashes_engine();
std::unique_ptr<Engine> make_galera_lossy_engine();
// Three members of MySQL's Group Replication. May be made only while there is one thread.
std::unique_ptr<Engine> make_group_replication_engine();
std::unique_ptr<Engine> make_postgresql_engine();
// A server whose synchronous_commit is off. FeatherID overrides it.
std::unique_ptr<Engine> make_postgresql_async_engine();
// The server behind a PgBouncer, in pool_mode transaction or session.
std::unique_ptr<Engine> make_postgresql_pgbouncer_engine();
std::unique_ptr<Engine> make_postgresql_pgbouncer_session_engine();

// Three members of etcd. May be made only while there is one thread.
std::unique_ptr<Engine> make_etcd_engine();

// Servers between the processes and another engine: the processes lease from them over HTTP.
std::unique_ptr<Engine> make_tier_engine(std::unique_ptr<Engine> database);

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_ENGINES_H_
