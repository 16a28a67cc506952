// SPDX-License-Identifier: MIT
#include "lib/segment/tag_table.h"

#include <atomic>
#include <string>
#include <thread>

#include "test/support/catch.h"

namespace featherid {

namespace {
std::shared_ptr<TagState> make_tag(const std::string& name) {
  static const auto clock = std::make_shared<SteadyClock>();
  const TagStateOptions options{std::chrono::seconds(1),
                                {std::chrono::seconds(30), 1000},
                                std::chrono::seconds(1),
                                std::chrono::seconds(1),
                                std::chrono::seconds(1)};
  return std::make_shared<TagState>(name, options, clock, nullptr);
}
}  // namespace

TEST_CASE("tags are found by name, and only those", "[tag_table]") {
  TagTable table;
  CHECK(table.find("a") == nullptr);
  for (int i = 0; i < 1000; ++i) table.insert(make_tag("tag" + std::to_string(i)));
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "tag" + std::to_string(i);
    TagState* const found = table.find(name);
    REQUIRE(found != nullptr);
    CHECK(found->tag() == name);
  }
  CHECK(table.find("tag1000") == nullptr);
  CHECK(table.find("") == nullptr);
  int visited = 0;
  table.for_each([&](TagState&) { ++visited; });
  CHECK(visited == 1000);
}

TEST_CASE("a look-up never misses a tag while others are added", "[tag_table][threads]") {
  TagTable table;
  table.insert(make_tag("first"));
  std::atomic<bool> done{false};
  std::atomic<int> misses{0};
  std::thread reader([&] {
    while (!done) {
      if (table.find("first") == nullptr) ++misses;
    }
  });
  for (int i = 0; i < 2000; ++i) table.insert(make_tag(std::to_string(i)));
  done = true;
  reader.join();
  CHECK(misses == 0);
}

}  // namespace featherid
