// SPDX-License-Identifier: MIT
// Ids from a database server, with what a real program adds: options, a log, ranges, stats.
//
//   soci_mysql mysql://user:password@127.0.0.1:3306/shop
//
// Without a URL it uses a SQLite file in the working directory.
#include <featherid/segment_allocator.h>
#include <featherid/soci_store.h>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

namespace {

int report(const featherid::Status& status) {
  std::cerr << status.to_string() << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string url = argc > 1 ? argv[1] : "sqlite3:soci_mysql.db";
  std::cout << "using " << featherid::redact_database_url(url) << '\n';

  featherid::SociStoreOptions store_options;
  store_options.call_timeout = std::chrono::seconds(3);
  store_options.log = [](featherid::LogLevel, std::string_view line) { std::cerr << line << '\n'; };
  if (auto status = featherid::init_soci_schema(url, store_options); !status.ok()) {
    return report(status);
  }
  auto store = featherid::open_soci_store(url, store_options);
  if (!store.ok()) return report(store.status());

  featherid::AllocatorOptions options;
  options.hold = std::chrono::seconds(10);
  options.log = store_options.log;
  featherid::SegmentAllocator ids(*std::move(store), options);

  auto order = ids.sequence("order");
  if (!order.ok()) return report(order.status());
  auto ranges = order->next_range(2500);  // more than one step: still one call
  if (!ranges.ok()) return report(ranges.status());
  for (const featherid::IdRange& range : *ranges) {
    std::cout << "order " << range.first << " to " << range.last() << '\n';
  }
  for (const featherid::TagStats& tag : ids.stats()) {
    std::cout << tag.tag << ": " << tag.issued_ids << " ids issued, " << tag.held_ids << " held, "
              << tag.leases << " leases\n";
  }
  std::cout << ids.shutdown() << " ids given back\n";
}
