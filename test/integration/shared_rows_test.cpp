// SPDX-License-Identifier: MIT
// FeatherID beside a program that leases by SELECT … FOR UPDATE; UPDATE; COMMIT on the same rows.
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "test/integration/servers.h"
#include "test/support/raw_sql.h"

using namespace featherid;
using namespace featherid::test;

namespace {

// One lease as the other program does it, on a connection of its own.
IdRange foreign_lease(RawSql& sql) {
  sql.run("BEGIN");
  const std::int64_t max_id =
      sql.number("SELECT max_id FROM id_segments WHERE biz_tag = 'order' FOR UPDATE");
  const std::int64_t step = sql.number("SELECT step FROM id_segments WHERE biz_tag = 'order'");
  sql.run("UPDATE id_segments SET max_id = max_id + step WHERE biz_tag = 'order'");
  sql.run("COMMIT");
  return {max_id + 1, max_id + step + 1};
}

void share(const std::string& url) {
  constexpr int kThreadsEach = 3;
  constexpr int kLeases = 200;
  SociStoreOptions options;
  options.sessions_max = kThreadsEach;
  const auto store = fresh_store(url, options);
  std::vector<std::vector<IdRange>> leased(2 * kThreadsEach);
  std::vector<std::thread> threads;
  for (int i = 0; i < 2 * kThreadsEach; ++i) {
    threads.emplace_back([&, i] {
      std::vector<IdRange>& own = leased[static_cast<std::size_t>(i)];
      const bool foreign = i >= kThreadsEach;
      std::unique_ptr<RawSql> sql;
      if (foreign) sql = std::make_unique<RawSql>(url);
      for (int n = 0; n < kLeases; ++n) {
        own.push_back(foreign ? foreign_lease(*sql) : store->lease("order", 1 + n % 50).value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<IdRange> all;
  std::int64_t ids[2] = {0, 0};
  for (std::size_t i = 0; i < leased.size(); ++i) {
    for (const IdRange range : leased[i]) {
      all.push_back(range);
      ids[i >= kThreadsEach ? 1 : 0] += range.size();
    }
  }
  std::cout << "one row shared: FeatherID " << kThreadsEach * kLeases << " leases, " << ids[0]
            << " ids; the other program " << kThreadsEach * kLeases << " leases, " << ids[1]
            << " ids" << std::endl;
  check_no_id_twice(all, store->find("order")->max_id);
}

}  // namespace

TEMPLATE_TEST_CASE("MySQL: no id twice beside a program that leases by SELECT FOR UPDATE",
                   "[mysql][shared]", MYSQL_SERVERS) {
  share(shared<TestType>().url());
}

TEST_CASE("PostgreSQL: no id twice beside a program that leases by SELECT FOR UPDATE",
          "[postgresql][shared]") {
  share(postgresql().url());
}
