// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_RAW_SQL_H_
#define FEATHERID_TEST_SUPPORT_RAW_SQL_H_

#include <string>
#include <string_view>

#include "lib/store/database_url.h"
#include "lib/store/soci_session.h"

namespace featherid::test {

// Speaks to a database beside the store, as an operator or another program does. Throws on errors.
// Needs the targets that test/support/CMakeLists.txt calls featherid_test_sql.
class RawSql {
 public:
  explicit RawSql(std::string_view url)
      : session_(*parse_database_url(url), std::chrono::seconds(10), std::chrono::seconds(30)) {}

  void run(const std::string& sql) { session_.run(sql); }
  long long number(const std::string& sql) {
    long long value = -1;
    session_.run(sql, soci::into(value));
    return value;
  }
  std::string text(const std::string& sql) {
    std::string value;
    session_.run(sql, soci::into(value));
    return value;
  }

 private:
  SociSession session_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_RAW_SQL_H_
