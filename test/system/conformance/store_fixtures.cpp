// SPDX-License-Identifier: MIT
#include "test/system/conformance/store_fixtures.h"

#include <stdexcept>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/raw_sql.h"

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
  const Status status = init_soci_schema(url_);
  if (!status.ok()) throw std::runtime_error(status.to_string());
  RawSql(url_).run("DELETE FROM " + table_);
  RawSql(url_).run(name_soci_tables("DELETE FROM id_tags WHERE biz_tag <> ''", url_));
  store_ = *open_soci_store(url_);
}

std::shared_ptr<Store> SociFixture::open() { return *open_soci_store(url_); }

void SociFixture::put_row(const std::string& tag, std::int64_t max_id, std::int64_t step) {
  RawSql sql(url_);
  sql.run("DELETE FROM " + table_ + " WHERE biz_tag = '" + tag + "'");
  insert_row(sql, {tag, max_id, step}, table_);
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

}  // namespace featherid::test
