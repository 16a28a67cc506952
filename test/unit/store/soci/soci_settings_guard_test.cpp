// SPDX-License-Identifier: MIT
#include "lib/store/soci/soci_settings_guard.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

std::vector<ServerSetting> with(std::vector<ServerSetting> settings, const std::string& name,
                                const std::string& value) {
  for (ServerSetting& setting : settings) {
    if (setting.name == name) setting.value = value;
  }
  return settings;
}

const std::vector<ServerSetting> kMysqlSafe = {{"autocommit", "1"},
                                               {"completion_type", "NO_CHAIN"},
                                               {"sql_mode", kMysqlSqlMode},
                                               {"isolation", "READ-COMMITTED"},
                                               {"innodb_snapshot_isolation", "0"},
                                               {"sql_log_bin", "1"},
                                               {"log_bin", "1"},
                                               {"sync_binlog", "1"},
                                               {"innodb_doublewrite", "ON"},
                                               {"innodb_flush_method", "O_DIRECT"},
                                               {"innodb_flush_log_at_trx_commit", "1"},
                                               {"wsrep_on", "0"},
                                               {"wsrep_cluster", ""},
                                               {"database", "ids"},
                                               {"id_segments", "InnoDB YES"},
                                               {"id_leader", "InnoDB YES"},
                                               {"id_tags", "InnoDB YES"},
                                               {"max_id", "bigint"},
                                               {"innodb_redo_log", "ON"}};

const std::vector<ServerSetting> kPostgresqlSafe = {{"fsync", "on"},
                                                    {"full_page_writes", "on"},
                                                    {"id_segments", "rp public"},
                                                    {"id_leader", "rp public"},
                                                    {"id_tags", "rp public"}};

SettingsVerdict mysql(const std::string& name, const std::string& value) {
  return judge_settings(Engine::kMysql, Failover::kSkip, with(kMysqlSafe, name, value));
}

SettingsVerdict postgresql(const std::string& name, const std::string& value) {
  return judge_settings(Engine::kPostgresql, Failover::kSkip, with(kPostgresqlSafe, name, value));
}

bool is_clean(const SettingsVerdict& verdict) {
  return verdict.warnings.empty() && verdict.lossy.empty() && verdict.wrong.empty();
}

}  // namespace

TEST_CASE("settings that keep every commit cause no warning", "[soci_settings_guard]") {
  CHECK(is_clean(judge_settings(Engine::kMysql, Failover::kSkip, kMysqlSafe)));
  CHECK(is_clean(judge_settings(Engine::kPostgresql, Failover::kSkip, kPostgresqlSafe)));
  CHECK(is_clean(judge_settings(Engine::kSqlite3, Failover::kSkip, {})));
  CHECK(is_clean(judge_settings(Engine::kMysql, Failover::kSkip, {})));  // nothing could be read
  CHECK(is_clean(mysql("innodb_flush_log_at_trx_commit", "3")));
  CHECK(is_clean(judge_settings(Engine::kMysql, Failover::kSkip,
                                with(with(kMysqlSafe, "log_bin", "0"), "sync_binlog", "0"))));
  CHECK(is_clean(postgresql("id_segments", "")));  // no tables yet
}

TEST_CASE("a warning names a setting that loses leases in a power cut", "[soci_settings_guard]") {
  const auto warning = [](const SettingsVerdict& verdict) {
    CHECK(verdict.lossy.empty());
    CHECK(verdict.wrong.empty());
    REQUIRE(verdict.warnings.size() == 1);
    return verdict.warnings.front();
  };
  CHECK_THAT(warning(mysql("innodb_flush_log_at_trx_commit", "2")),
             Contains("innodb_flush_log_at_trx_commit is 2"));
  CHECK_THAT(warning(mysql("sync_binlog", "0")), Contains("sync_binlog is 0"));
  CHECK_THAT(warning(mysql("sync_binlog", "100")), Contains("sync_binlog is 100"));
  CHECK_THAT(warning(mysql("innodb_doublewrite", "OFF")), Contains("innodb_doublewrite"));
  CHECK_THAT(warning(mysql("id_segments", "VIEW ")), Contains("is a view"));
  CHECK_THAT(warning(postgresql("fsync", "off")), Contains("fsync is off"));
  CHECK_THAT(warning(postgresql("full_page_writes", "off")), Contains("full_page_writes is off"));
  CHECK_THAT(warning(mysql("innodb_flush_method", "nosync")), Contains("innodb_flush_method"));
  CHECK_THAT(warning(mysql("innodb_doublewrite", "DETECT_ONLY")), Contains("is DETECT_ONLY"));
  CHECK_THAT(warning(mysql("id_segments", "ROCKSDB YES")), Contains("ROCKSDB"));
  CHECK_THAT(warning(postgresql("id_segments", "vp s")), Contains("view"));
  CHECK_THAT(warning(postgresql("id_segments", "pp s")), Contains("partitioned"));
  CHECK_THAT(warning(postgresql("id_segments", "rpts")), Contains("s.id_segments has a trigger"));
  CHECK_THAT(warning(judge_settings(Engine::kMysql, Failover::kSkip, {{"unread", "1142: denied"}})),
             Contains("cannot be read (1142: denied)"));
}

TEST_CASE("a setting that loses leases in a mere crash of the server is lossy",
          "[soci_settings_guard]") {
  const auto lossy = [](const SettingsVerdict& verdict) {
    CHECK(verdict.wrong.empty());
    REQUIRE(verdict.lossy.size() == 1);
    return verdict.lossy.front();
  };
  CHECK_THAT(lossy(mysql("innodb_flush_log_at_trx_commit", "0")),
             Contains("innodb_flush_log_at_trx_commit is 0"));
  CHECK_THAT(lossy(mysql("sql_log_bin", "0")), Contains("sql_log_bin"));
  CHECK_THAT(lossy(mysql("innodb_redo_log", "OFF")), Contains("ENABLE INNODB REDO_LOG"));
  CHECK_THAT(lossy(mysql("wsrep_cluster", "gcomm://a")), Contains("wsrep_on"));
  CHECK_THAT(lossy(mysql("id_segments", "MyISAM NO")), Contains("MyISAM"));
  CHECK_THAT(lossy(mysql("id_leader", "MEMORY NO")), Contains("id_leader") && Contains("MEMORY"));
  CHECK_THAT(lossy(postgresql("id_segments", "ru s")), Contains("UNLOGGED"));
  CHECK_THAT(lossy(postgresql("id_leader", "ru s")), Contains("id_leader") && Contains("UNLOGGED"));
}

TEST_CASE("a table of options that a crash can undo causes a warning, and refuses no lease",
          "[soci_settings_guard]") {
  for (const SettingsVerdict& verdict :
       {mysql("id_tags", "MyISAM NO"), postgresql("id_tags", "ru public")}) {
    CHECK(verdict.wrong.empty());
    CHECK(verdict.lossy.empty());
    REQUIRE(verdict.warnings.size() == 1);
    CHECK_THAT(verdict.warnings[0], Contains("the table id_tags") && Contains("removed tags"));
  }
  CHECK_THAT(mysql("id_tags", "MyISAM NO").warnings[0], Contains("change it to InnoDB"));
  CHECK_THAT(postgresql("id_tags", "ru public").warnings[0], Contains("id_tags SET LOGGED"));
  CHECK(is_clean(mysql("id_tags", "InnoDB YES")));
  CHECK(is_clean(mysql("id_tags", "")));  // there is none
  CHECK(is_clean(postgresql("id_tags", "rp public")));
}

TEST_CASE("which settings are lossy on a Galera node depends on the mode",
          "[soci_settings_guard]") {
  const auto node = [](Failover failover, const std::string& flush) {
    return judge_settings(Engine::kMysql, failover,
                          with(with(with(kMysqlSafe, "wsrep_on", "1"), "wsrep_cluster", "gcomm://"),
                               "innodb_flush_log_at_trx_commit", flush));
  };
  for (const Failover failover : {Failover::kSkip, Failover::kStop, Failover::kSynchronous}) {
    CHECK(is_clean(node(failover, "1")));
    REQUIRE(node(failover, "0").lossy.size() == 1);
    CHECK_THAT(node(failover, "0").lossy[0], Contains("innodb_flush_log_at_trx_commit is 0"));
  }
  REQUIRE(node(Failover::kSynchronous, "2").lossy.size() == 1);
  CHECK_THAT(node(Failover::kSynchronous, "2").lossy[0],
             Contains("innodb_flush_log_at_trx_commit is 2") && Contains("on every node"));
  CHECK(node(Failover::kSkip, "2").lossy.empty());
  CHECK(node(Failover::kSkip, "2").warnings.size() == 1);
  // A single server gets only a warning about power cuts, whatever the mode.
  const auto alone = with(kMysqlSafe, "innodb_flush_log_at_trx_commit", "2");
  CHECK(judge_settings(Engine::kMysql, Failover::kSynchronous, alone).lossy.empty());
  CHECK_FALSE(is_galera_node(alone));
  CHECK_FALSE(is_galera_node(with(alone, "wsrep_on", "1")));  // in no cluster
}

TEST_CASE("a session that lost its settings is wrong, and so is a hidden table",
          "[soci_settings_guard]") {
  const auto wrong = [](const SettingsVerdict& verdict) {
    REQUIRE(verdict.wrong.size() == 1);
    return verdict.wrong.front();
  };
  CHECK_THAT(wrong(mysql("autocommit", "0")), Contains("autocommit"));
  CHECK_THAT(wrong(mysql("completion_type", "CHAIN")), Contains("completion_type"));
  CHECK_THAT(wrong(mysql("sql_mode", "ORACLE")), Contains("sql_mode"));
  for (const char* type : {"double", "float", "varchar", "longtext", "json", "bit"}) {
    CHECK_THAT(wrong(mysql("max_id", type)), Contains("bigint") && Contains(type));
  }
  for (const char* type : {"int", "bigint", "decimal"}) CHECK(is_clean(mysql("max_id", type)));
  CHECK_THAT(
      wrong(judge_settings(Engine::kPostgresql, Failover::kSkip, {{"max_id", "double precision"}})),
      Contains("bigint"));
  CHECK_THAT(wrong(mysql("id_leader", "TEMPORARY")), Contains("temporary"));
  CHECK_THAT(wrong(mysql("isolation", "READ-UNCOMMITTED")), Contains("isolation"));
  CHECK_THAT(wrong(mysql("innodb_snapshot_isolation", "1")), Contains("innodb_snapshot_isolation"));
  CHECK_THAT(wrong(postgresql("id_segments", "rp f;rp public")),
             Contains("f.id_segments") && Contains("public.id_segments"));
  CHECK_THAT(wrong(postgresql("id_segments", "rt pg_temp_3")), Contains("temporary"));
  CHECK_THAT(wrong(judge_settings(Engine::kPostgresql, Failover::kSkip, {{"search_path", "evil"}})),
             Contains("search_path is 'evil'"));
}

}  // namespace featherid
