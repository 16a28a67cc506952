// SPDX-License-Identifier: MIT
#include "test/system/conformance/store_fixtures.h"

#ifdef FEATHERID_TEST_ETCD
#include <nlohmann/json.hpp>
#endif
#include <stdexcept>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/raw_sql.h"
#ifdef FEATHERID_TEST_ETCD
#include "test/support/patient_etcd.h"
#endif

namespace featherid::test {

namespace {

std::string escaped(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string url;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    url += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return url;
}

}  // namespace

SociFixture::SociFixture(std::string url, std::string table)
    : url_(std::move(url)), table_(std::move(table)) {
  const Status status = init_soci_schema(url_, patient_store<SociStoreOptions>());
  if (!status.ok()) throw std::runtime_error(status.to_string());
  RawSql(url_).run("DELETE FROM " + table_);
  RawSql(url_).run(name_soci_tables("DELETE FROM id_tags WHERE biz_tag <> ''", url_));
  store_ = *open_soci_store(url_, patient_store<SociStoreOptions>());
}

std::shared_ptr<Store> SociFixture::open() {
  return *open_soci_store(url_, patient_store<SociStoreOptions>());
}

void SociFixture::put_row(const std::string& tag, std::int64_t max_id, std::int64_t step) {
  RawSql sql(url_);
  sql.run("DELETE FROM " + table_ + " WHERE biz_tag = '" + tag + "'");
  insert_row(sql, {tag, max_id, step}, table_);
}

void MemoryFixture::set_max_id(const std::string& tag, std::int64_t max_id) {
  SegmentRow row = *store_->find(tag);
  row.max_id = max_id;
  store_->overwrite(row);
}

void MemoryFixture::put_floor(const std::string& tag, const TimeFloor& floor, std::int64_t cap) {
  SegmentRow row = *store_->find(tag);
  row.floor = floor;
  row.cap = cap;
  store_->overwrite(row);
}

std::shared_ptr<Store> SociFixture::open_with_clock(std::chrono::milliseconds ahead) {
  SociStoreOptions options = patient_store<SociStoreOptions>();
  options.clock = [ahead] {
    return ahead + std::chrono::time_point_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now());
  };
  return *open_soci_store(url_, options);
}

void SociFixture::set_max_id(const std::string& tag, std::int64_t max_id) {
  RawSql(url_).run("UPDATE " + table_ + " SET max_id = " + std::to_string(max_id) +
                   " WHERE biz_tag = '" + tag + "'");
}

void SociFixture::put_floor(const std::string& tag, const TimeFloor& floor, std::int64_t cap) {
  RawSql(url_).run(name_soci_tables(
      "UPDATE id_tags SET cap = " + std::to_string(cap) + ", floor_rate = " +
          std::to_string(floor.rate) + ", floor_epoch = " + std::to_string(floor.epoch_s) +
          ", floor_lead_max = " + std::to_string(floor.lead_max_s) + ", floor_only_warns = " +
          std::to_string(floor.lead_only_warns ? 1 : 0) + " WHERE biz_tag = '" + tag + "'",
      url_));
}

NamedSqlite3Fixture::NamedSqlite3Fixture()
    : SociFixture("sqlite3:" + file("ids.db") + "?table=" + escaped("it's \"a\" 号; :tag --?"),
                  "\"it's \"\"a\"\" 号; :tag --?\"") {}

template <class Server>
NamedMysqlFixture<Server>::NamedMysqlFixture()
    : ServerFixture<Server>("?table=" + escaped("select `a` \"号\\; -- /*?"),
                            "`select ``a`` \"号\\; -- /*?`") {}
template class NamedMysqlFixture<MariadbServer>;
template class NamedMysqlFixture<MysqlServer>;

NamedPostgresqlFixture::NamedPostgresqlFixture()
    : PostgresqlFixture(
          [] {
            RawSql(server().url()).run("CREATE SCHEMA IF NOT EXISTS \"My \"\"schema'\"");
            return "?schema=" + escaped("My \"schema'") +
                   "&table=" + escaped("it's \"a\" Table 号\\; :tag --$1 /*");
          }(),
          "\"My \"\"schema'\".\"it's \"\"a\"\" Table 号\\; :tag --$1 /*\"") {}

#ifdef FEATHERID_TEST_ETCD
namespace {

EtcdCluster& cluster() {
  static EtcdCluster cluster;
  return cluster;
}

// Changes the value of a tag as a person with etcdctl could.
template <typename Change>
void change_value(const std::string& prefix, const std::string& tag, Change change) {
  const std::string key = "/" + prefix + "/tags/" + tag;
  const std::string value = cluster().get(key);
  nlohmann::json json = value.empty() ? nlohmann::json::object() : nlohmann::json::parse(value);
  change(json);
  cluster().put(key, json.dump());
}

}  // namespace

EtcdFixture::EtcdFixture()
    : prefix_([] {
        static int fixtures = 0;
        return "it's/" + std::to_string(++fixtures);
      }()) {}

std::shared_ptr<Store> EtcdFixture::open_with_clock(std::chrono::milliseconds ahead) {
  EtcdStoreOptions options = patient_etcd();
  options.clock = [ahead] {
    return ahead + std::chrono::time_point_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now());
  };
  return *open_etcd_store(cluster().url(prefix_), options);
}

void EtcdFixture::put_row(const std::string& tag, std::int64_t max_id, std::int64_t step) {
  change_value(prefix_, tag, [&](nlohmann::json& json) {
    json["max_id"] = max_id;
    json["step"] = step;
  });
}

void EtcdFixture::set_max_id(const std::string& tag, std::int64_t max_id) {
  change_value(prefix_, tag, [&](nlohmann::json& json) { json["max_id"] = max_id; });
}

void EtcdFixture::put_floor(const std::string& tag, const TimeFloor& floor, std::int64_t cap) {
  change_value(prefix_, tag, [&](nlohmann::json& json) {
    json["cap"] = cap;
    json["floor"]["rate"] = floor.rate;
    json["floor"]["epoch"] = floor.epoch_s;
    json["floor"]["lead_max"] = floor.lead_max_s;
    json["floor"]["lead_only_warns"] = floor.lead_only_warns;
  });
}
#endif

}  // namespace featherid::test
