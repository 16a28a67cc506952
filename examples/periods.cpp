// SPDX-License-Identifier: MIT
// Invoice numbers that begin at 1 each day: a tag with periods. The store here lives in memory;
// over a database nothing else changes.
#include <featherid/id_format.h>
#include <featherid/memory_store.h>
#include <featherid/segment_allocator.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using featherid::WallTime;

namespace {

// The text of the next number, "2026-11-29/0001"; empty if there is none.
std::string next_number(featherid::SegmentAllocator& ids, const featherid::IdFormat& format) {
  auto invoices = ids.sequence("invoice");
  if (!invoices.ok()) return "";
  const auto next = invoices->next_in_period();
  if (!next.ok()) return "";
  const featherid::Period day = next->period;
  const auto text = format.format(next->id, {day.year, day.month, day.day});
  return text.ok() ? *text : "";
}

}  // namespace

int main() {
  // A clock that the example can move.
  const auto now = std::make_shared<std::atomic<std::int64_t>>(1795996700000);
  auto store = std::make_shared<featherid::MemoryStore>(
      [now] { return WallTime(std::chrono::milliseconds(now->load())); });

  featherid::NewTag invoice(100);
  invoice.options.period = {featherid::PeriodKind::kDay, 0};  // by UTC
  if (!store->create("invoice", invoice).ok()) return 1;
  const auto format = featherid::IdFormat::make("{year}-{month}-{day}/{id width=4}");
  if (!format.ok()) return 1;

  std::string last;
  {
    featherid::SegmentAllocator ids(store);
    std::cout << next_number(ids, *format) << "\n";
    last = next_number(ids, *format);
    std::cout << last << "\n";
  }
  *now += 200000;  // over midnight
  featherid::SegmentAllocator ids(store);
  const std::string first = next_number(ids, *format);
  std::cout << first << "\n";
  return last == "2026-11-29/0002" && first == "2026-11-30/0001" ? 0 : 1;
}
