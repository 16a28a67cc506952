// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_SOCI_SOCI_SETTINGS_GUARD_H_
#define FEATHERID_LIB_STORE_SOCI_SOCI_SETTINGS_GUARD_H_

#include <map>
#include <string>
#include <vector>

#include "featherid/soci_store.h"
#include "featherid/status.h"
#include "lib/base/mutex.h"
#include "lib/store/soci/soci_dialect.h"
#include "lib/store/soci/soci_session.h"

namespace featherid {

// One setting of a server or a session, as the server spells its value.
struct ServerSetting {
  std::string name;
  std::string value;
};

// What settings mean for a lease: one sentence for each, which names the setting.
struct SettingsVerdict {
  std::vector<std::string> warnings;  // a power cut or a failover can undo a lease
  std::vector<std::string> lossy;     // a mere crash of the server process can
  std::vector<std::string> wrong;     // a lease would not last, or would be of another table
};
SettingsVerdict judge_settings(Engine engine, Failover failover,
                               const std::vector<ServerSetting>& settings);

// Whether these are the settings of a Galera node.
bool is_galera_node(const std::vector<ServerSetting>& settings);

// Ensures that statements run only under settings that this process has judged. The settings can
// change at any time (a reload, a role's default, a pooler that exchanges sessions), so each
// statement states those that it was sent under as a condition. If they have changed by then, it
// moves no row, and they are read and judged again. Session settings are set when the session
// opens. The statement sets what can be set for a transaction. Thread-safe.
class SettingsGuard {
 public:
  // Logs each warning of a server once, and again if the setting was good in between.
  SettingsGuard(const SettingsSql& sql, Engine engine, const std::string& database,
                const SociStoreOptions& options, const TableNames& names = {});

  // Makes a new session ready for statements.
  void set_up(SociSession& session);

  // Whether rows may be moved on the session. kFailedPrecondition names the setting that forbids
  // it, until that is changed. Reads the settings again if they were refused, and once a minute,
  // because not all can be stated.
  Status check(SociSession& session);

  // After a statement has moved no row: reads the settings again and says whether they differ from
  // those that it stated, so that it may be sent again. Errors as check().
  Result<bool> changed(SociSession& session);

  // An expression for the conditions of a statement that moves a row: the settings are those that
  // were judged, and it commits durably.
  std::string stated(const SociSession& session) const;

 private:
  std::vector<ServerSetting> read(SociSession& session, std::string* text) const;
  bool is_temporary(SociSession& session, std::size_t table) const;
  Status judge(const SociSession& session, const std::vector<ServerSetting>& settings);
  Status same_place(const std::string& place);
  void log_warnings(const std::string& where, std::vector<std::string> warnings);

  const SettingsSql& sql_;
  const Engine engine_;
  const std::string database_;
  const std::chrono::seconds call_timeout_;
  const bool lossy_allowed_;
  const Failover failover_;
  const LogCallback log_;
  const TableNames names_;

  Mutex mutex_;
  std::string place_ GUARDED_BY(mutex_);  // of id_segments, as the first session found it
  std::map<std::string, std::vector<std::string>> warned_ GUARDED_BY(mutex_);  // by server
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_SOCI_SOCI_SETTINGS_GUARD_H_
