// SPDX-License-Identifier: MIT
// Order numbers that do not tell customers how many orders there are: ids 1, 2, 3 become unrelated
// numbers of 12 digits, written in groups with a check digit. The key maps them back.
#include <featherid/id_format.h>
#include <featherid/id_scramble.h>
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>

#include <iostream>
#include <memory>

int main() {
  // A real key comes from ScrambleKeys::read_file() or read_environment(), and from
  // `openssl rand -hex 16`.
  const auto keys = featherid::ScrambleKeys::parse("0:2b7e151628aed2a6abf7158809cf4f3c");
  if (!keys.ok()) return std::cerr << keys.status().to_string() << '\n', 1;
  const auto scramble = featherid::IdScramble::with_digits(12, *keys);
  if (!scramble.ok()) return std::cerr << scramble.status().to_string() << '\n', 1;
  const auto format = featherid::IdFormat::make("{id width=12 group=4}-{check damm}").value();

  // No id passes the domain of the scramble.
  auto store = std::make_shared<featherid::MemoryStore>();
  featherid::NewTag order(1000);
  order.options.cap = scramble->id_max();
  if (!store->create("order", order).ok()) return 1;
  featherid::SegmentAllocator ids(store);
  for (int i = 0; i < 3; ++i) {
    const auto id = ids.next_id("order");
    if (!id.ok()) return std::cerr << id.status().to_string() << '\n', 1;
    const auto number = scramble->scramble(*id);
    if (!number.ok()) return std::cerr << number.status().to_string() << '\n', 1;
    const auto text = format.format(*number).value();
    const auto back = scramble->unscramble(format.parse(text)->id);
    std::cout << text << " is id " << back.value() << '\n';
    if (*back != *id) return 1;
  }
}
