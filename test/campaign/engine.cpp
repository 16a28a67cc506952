// SPDX-License-Identifier: MIT
#include "test/campaign/engine.h"

#include <map>
#include <stdexcept>

#include "test/campaign/engines.h"
#include "test/campaign/lease_log.h"

namespace featherid::campaign {

std::string Engine::database() const {
  std::string text;
  for (const std::string& url : urls()) text += (text.empty() ? "" : " ") + url;
  return text;
}

std::vector<Move> Engine::moves() { return read_lease_log(*operator_sql()); }

std::unique_ptr<Engine> make_engine(const std::string& name) {
  static const std::map<std::string, std::unique_ptr<Engine> (*)()> kEngines = {
      {"sqlite", make_sqlite_engine},
      {"mariadb", make_mariadb_engine},
      {"mariadb-replica", make_mariadb_replica_engine},
      {"galera", make_galera_engine},
      {"postgresql", make_postgresql_engine},
      {"postgresql-async", make_postgresql_async_engine}};
  const auto found = kEngines.find(name);
  if (found != kEngines.end()) return found->second();
  std::string names;
  for (const auto& [known, make] : kEngines) names += " " + known;
  throw std::runtime_error("no engine " + name + "; there are:" + names);
}

}  // namespace featherid::campaign
