// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_RAW_SQL_H_
#define FEATHERID_TEST_SUPPORT_RAW_SQL_H_

#include <string>
#include <string_view>
#include <utility>

#include "featherid/tag_admin.h"
#include "lib/store/soci/database_url.h"
#include "lib/store/soci/soci_session.h"

namespace featherid::test {

// Talks to a database beside the store, as an operator or another program does. Throws on errors.
// Requires the target featherid_test_sql of test/support/CMakeLists.txt.
class RawSql {
 public:
  explicit RawSql(std::string_view url)
      : session_(*parse_database_url(url), std::chrono::seconds(10), std::chrono::seconds(30)) {}
  // `first` runs before all else.
  RawSql(std::string_view url, const std::string& first) : RawSql(url) { run(first); }

  void run(const std::string& sql) { session_.run(sql); }
  long long number(const std::string& sql) {
    long long value = -1;
    session_.run(sql, soci::into(value));
    return value;
  }
  template <typename OnRow, typename... Exchanges>
  void for_each_row(const std::string& sql, OnRow on_row, Exchanges&&... exchanges) {
    session_.for_each_row(sql, on_row, std::forward<Exchanges>(exchanges)...);
  }
  std::string text(const std::string& sql) {
    std::string value;
    session_.run(sql, soci::into(value));
    return value;
  }

 private:
  SociSession session_;
};

// Writes past the store, unchecked. `row.tag` must need no escape.
inline void insert_row(RawSql& sql, const SegmentRow& row,
                       const std::string& table = "id_segments") {
  sql.run("INSERT INTO " + table + " (biz_tag, max_id, step) VALUES ('" + row.tag + "', " +
          std::to_string(row.max_id) + ", " + std::to_string(row.step) + ")");
}

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_RAW_SQL_H_
