// SPDX-License-Identifier: MIT
#include "test/conformance/store_fixtures.h"

#include <stdexcept>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/raw_sql.h"

namespace featherid::test {

SociFixture::SociFixture(std::string url) : url_(std::move(url)) {
  const Status status = init_soci_schema(url_);
  if (!status.ok()) throw std::runtime_error(status.to_string());
  RawSql(url_).run("DELETE FROM id_segments");
  store_ = *open_soci_store(url_);
}

void SociFixture::put_row(const std::string& tag, std::int64_t max_id, std::int64_t step) {
  RawSql sql(url_);
  sql.run("DELETE FROM id_segments WHERE biz_tag = '" + tag + "'");
  insert_row(sql, {tag, max_id, step});
}

}  // namespace featherid::test
