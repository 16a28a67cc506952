// SPDX-License-Identifier: MIT
#include "server/config/environment.h"

#include <string>

#include "test/support/catch.h"

namespace featherid {

namespace {

std::string meant(const std::string& name, const std::string& text = "x") {
  const char* const setting = meant_setting(name, text);
  return setting != nullptr ? setting : "";
}

}  // namespace

TEST_CASE("a variable for the database is detected in any spelling", "[environment]") {
  for (const char* name : {"FEATHERID_DATABASE_URL", "FEATHERID_DATABASE_URI",
                           "FEATHERID_DATABASES",    "FEATHERID_DB",
                           "FEATHERID_DB_URL",       "FEATHERID_DBURL",
                           "FEATHERID_MYDB",         "FEATHERID_DB_HOST",
                           "FEATHERID_DATABSE",      "FEATHERID_DATABAES",
                           "FEATHERID_DTABASE",      "FEATHERID_DATBASE",
                           "FEATHERID_DATBSE",       "FEATHERID_DATABASSE",
                           "FEATHERID_DATABSE_URL",  "FEATHERID_DATA_BASE",
                           "FEATHER_ID_DATABASE",    "FEATHERID__DATABASE",
                           "FEATHERIDDATABASE",      "FEATHERID-DATABASE",
                           "FEATHERID.DATABASE",     "FEATHERIDDB",
                           "featherid_database",     "Featherid_Database",
                           "FeatherID_DB",           "DATABASE_FEATHERID",
                           "DB_FEATHERID",           "DATABASE_URL_FEATHERID",
                           "MY_FEATHERID_DATABASE",  "FEATHERID_SERVER_DATABASE",
                           "FEATHERID_DSN",          "FEATHERID_MYSQL_URL",
                           "FEATHERID_MYSQL_HOST",   "FEATHERID_SQLITE",
                           "FEATHERID_POSTGRES_URL", "FEATHERID_POSTGRESQL",
                           "FEATHERID_MARIADB",      "FEATHERID_SQL_URL",
                           "FEATHERID_PGDATABASE",   "FETHERID_DATABASE",
                           "FEATHRID_DATABASE",      "FEATEHRID_DB_URL",
                           "FEATHER_DATABASE",       "FEATHERID_DATABASE ",
                           " FEATHERID_DATABASE"}) {
    CAPTURE(name);
    CHECK(meant(name) == "FEATHERID_DATABASE");
    CHECK(meant(name, "") == "FEATHERID_DATABASE");
  }
}

TEST_CASE("a database address is detected in any FeatherID variable", "[environment]") {
  for (const char* name : {"FEATHERID_URL", "FEATHERID_STORE", "FEATHERID_X", "featherid_url"}) {
    for (const char* address :
         {"mysql://u:p@h/ids", "mariadb://h/ids", "postgres://h/ids", "postgresql://h/ids",
          "sqlite3:ids.db", "sqlite:///ids.db", "jdbc:mysql://h/ids", "MySQL://h/ids",
          "mysql+pymysql://h/ids", " mysql://h/ids"}) {
      CAPTURE(name, address);
      CHECK(meant(name, address) == "FEATHERID_DATABASE");
    }
    for (const char* other : {"", "mysql", "tcp://10.0.0.1:3306", "http://mysql/", "5", "a:b"}) {
      CAPTURE(name, other);
      CHECK(meant(name, other).empty());
    }
  }
  CHECK(meant("OTHER_URL", "mysql://h/other").empty());
}

TEST_CASE("a variable for the database's file is detected", "[environment]") {
  for (const char* name :
       {"FEATHERID_DATABASEFILE", "FEATHERID_DB_FILE", "FEATHERID_DATABASE_FLE",
        "FEATHERID_DATABSE_FILE", "FEATHERID_DATABASE_URL_FILE", "featherid_database_file_"}) {
    CAPTURE(name);
    CHECK(meant(name, "/run/secrets/url") == "FEATHERID_DATABASE_FILE");
    CHECK(meant(name, "mysql://h/ids") == "FEATHERID_DATABASE");
  }
}

TEST_CASE("a variable for the settings file is detected", "[environment]") {
  for (const char* name :
       {"FEATHERID_CONFIG_FILE", "FEATHERID_CONFIG_PATH", "FEATHERID_CONF",
        "FEATHERID_CONFIGURATION", "FEATHERID_CONFG", "FEATHERID_COFNIG", "FEATHERID_CNFIG",
        "FEATHERID_CFG", "featherid_config", "FEATHER_ID_CONFIG", "FETHERID_CONFIG",
        "FEATHERIDCONFIG", "FEATHERID_TOML", "FEATHERID_TOML_FILE", "CONFIG_FEATHERID"}) {
    CAPTURE(name);
    CHECK(meant(name) == "FEATHERID_CONFIG");
  }
  CHECK(meant("FEATHERID_SETTINGS", "/etc/featherid/ids.toml") == "FEATHERID_CONFIG");
  CHECK(meant("FEATHERID_SETTINGS", "on").empty());
}

TEST_CASE("other variables are left alone", "[environment]") {
  for (const char* name : {"DATABASE",
                           "DATABASE_URL",
                           "DB_URL",
                           "MYSQL_URL",
                           "PGDATABASE",
                           "CONFIG",
                           "WEATHER_DB",
                           "WEATHER_DATABASE_URL",
                           "FATHER_DB",
                           "LEATHER_CONFIG",
                           "FEATHERID",
                           "FEATHERID_",
                           "",
                           "FEATHERID_IMAGE",
                           "FEATHERID_VERSION",
                           "FEATHERID_HOME",
                           "FEATHERID_BACKLOG",
                           "FEATHERID_BASE",
                           "FEATHERID_FEEDBACK",
                           "FEATHERID_DATA",
                           "FEATHERID_DATA_DIR",
                           "FEATHERID_DATE",
                           "FEATHERID_LOGLEVEL",
                           "FEATHERID_LOG_DIRECTORY",
                           "FEATHERID_DEBUG",
                           "FEATHERID_BATCH",
                           "FEATHERID_HOLDS",
                           "FEATHERID_ADMIN_TOKENS",
                           "FEATHERID_TLS",
                           "FEATHERID_CONNECTIONS",
                           "FEATHERID_CONTAINER",
                           "FEATHERID_OUTAGE_HOLD",
                           "FEATHERID_DRAIN"}) {
    CAPTURE(name);
    CHECK(meant(name).empty());
  }
}

TEST_CASE("variables that Kubernetes and Docker inject for a service are known", "[environment]") {
  for (const std::string service :
       {"FEATHERID", "FEATHERID_SERVER", "FEATHERID_DB", "FEATHERID_DATABASE", "FEATHERID_CONFIG",
        "MY_FEATHERID_MYSQL"}) {
    const Environment injected = {
        {service + "_SERVICE_HOST", "10.96.0.7"},
        {service + "_SERVICE_PORT", "8080"},
        {service + "_SERVICE_PORT_HTTP", "8080"},
        {service + "_SERVICE_PORT_MY_DATABASE", "8080"},
        {service + "_PORT", "tcp://10.96.0.7:8080"},
        {service + "_PORT_8080_TCP", "tcp://10.96.0.7:8080"},
        {service + "_PORT_8080_TCP_PROTO", "tcp"},
        {service + "_PORT_8080_TCP_PORT", "8080"},
        {service + "_PORT_8080_TCP_ADDR", "10.96.0.7"},
        {service + "_PORT_53_UDP", "udp://[fd00::7]:53"},
        {service + "_PORT_53_UDP_PROTO", "udp"},
        {service + "_NAME", "/app/ids"},
        {service + "_ENV_MYSQL_DATABASE", "ids"},
        {service + "_ENV_FEATHERID_DATABASE", "mysql://u:p@h/ids"},
    };
    for (const auto& [name, text] : injected) {
      CAPTURE(name);
      CHECK(is_service_link(name, injected));
    }
  }
  // Written by a user, though it is spelled alike.
  const Environment written = {{"FEATHERID_DB_PORT", "3306"},     {"FEATHERID_DB_HOST", "db"},
                               {"FEATHERID_DB_NAME", "ids"},      {"FEATHERID_PORT", "8080"},
                               {"FEATHERID_DATABASE_URL", "x"},   {"FEATHERID_DB_PORT_X", "1"},
                               {"FEATHERID_ENV_DATABASE", "x"},   {"FEATHERID_NAME", "ids"},
                               {"FEATHERID_DB_SERVICE", "mysql"}, {"SERVICE_HOST", "x"},
                               {"FEATHERID_X_NAME", "/ids"},      {"FEATHERID_Y_NAME", ""}};
  for (const auto& [name, text] : written) {
    CAPTURE(name);
    CHECK(!is_service_link(name, written));
  }
}

}  // namespace featherid
