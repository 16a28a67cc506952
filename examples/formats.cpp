// SPDX-License-Identifier: MIT
// Invoice numbers that people can read out and type in: INV-2026-000001, a dash and a check digit.
// What was typed is read back, or refused with the reason.
#include <featherid/id_format.h>
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>

#include <iostream>
#include <memory>
#include <string>

int main() {
  auto store = std::make_shared<featherid::MemoryStore>();
  if (!store->create("invoice", 1000).ok()) return 1;
  featherid::SegmentAllocator ids(store);
  const auto format = featherid::IdFormat::make("INV-{year}-{id width=6}-{check damm}");
  if (!format.ok()) return std::cerr << format.status().to_string() << '\n', 1;

  std::string text;
  for (int i = 0; i < 3; ++i) {
    const auto id = ids.next_id("invoice");
    if (!id.ok()) return std::cerr << id.status().to_string() << '\n', 1;
    text = format->format(*id, {2026, 11, 29}).value();
    std::cout << text << '\n';
  }

  std::cout << text << " is id " << format->parse(text)->id << '\n';
  text[12] = '7';  // somebody mistypes a digit
  std::cout << format->parse(text).status().message() << '\n';
  std::cout << "with id " << format->grows_at() << " the text grows from " << format->length()
            << " characters\n";
}
