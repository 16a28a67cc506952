// SPDX-License-Identifier: MIT
#include "featherid/period.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <ratio>

#include "featherid/segment_store.h"

namespace featherid {

using std::chrono::minutes;
using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

namespace {

constexpr int kYearMax = 9999;
constexpr int kDaysBeforeMonth[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

// In the Gregorian calendar, which also counts for the years before it.
constexpr std::int64_t days_before_year(std::int64_t year) {
  const std::int64_t years = year - 1;
  return years * 365 + years / 4 - years / 100 + years / 400;
}
int days_before_month(int year, int month) {
  return kDaysBeforeMonth[month - 1] + (month > 2 && is_leap(year) ? 1 : 0);
}
int days_in_month(int year, int month) {
  return kDaysBeforeMonth[month] - kDaysBeforeMonth[month - 1] +
         (month == 2 && is_leap(year) ? 1 : 0);
}

constexpr std::int64_t kDaysBefore1970 = days_before_year(1970);

Period day_of(std::int64_t days_since_year_1) {
  constexpr std::int64_t kDaysOf400Years = 146097;
  Period day;
  day.year = static_cast<int>(days_since_year_1 * 400 / kDaysOf400Years) + 1;
  while (days_before_year(day.year) > days_since_year_1) --day.year;
  while (days_before_year(day.year + 1) <= days_since_year_1) ++day.year;
  const int day_of_year = static_cast<int>(days_since_year_1 - days_before_year(day.year));
  day.month = 1;
  while (day.month < 12 && days_before_month(day.year, day.month + 1) <= day_of_year) ++day.month;
  day.day = day_of_year - days_before_month(day.year, day.month) + 1;
  return day;
}

Period part_of(const Period& day, PeriodKind kind) {
  Period period = day;
  if (kind != PeriodKind::kDay) period.day = 0;
  if (kind == PeriodKind::kYear) period.month = 0;
  return period;
}

// All of `text` as a number of so many digits; -1: it is not one.
int digits(std::string_view text, std::size_t count) {
  int number = -1;
  if (text.size() != count || text.front() < '0' || text.front() > '9') return -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + count, number);
  return error == std::errc() && stop == text.data() + count ? number : -1;
}

std::optional<Period> read_period(std::string_view text) {
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return std::nullopt;
  Period period;
  period.year = digits(text.substr(0, 4), 4);
  if (period.year < 1) return std::nullopt;
  if (text.size() == 4) return period;
  period.month = text[4] == '-' ? digits(text.substr(5, 2), 2) : -1;
  if (period.month < 1 || period.month > 12) return std::nullopt;
  if (text.size() == 7) return period;
  period.day = text[7] == '-' ? digits(text.substr(8, 2), 2) : -1;
  if (period.day < 1 || period.day > days_in_month(period.year, period.month)) return std::nullopt;
  return period;
}

std::size_t count_chars(std::string_view utf8) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), begins));
}

}  // namespace

std::string to_string(const Period& period) {
  char text[48];
  switch (period.kind()) {
    case PeriodKind::kNone:
      return "";
    case PeriodKind::kYear:
      std::snprintf(text, sizeof text, "%04d", period.year);
      break;
    case PeriodKind::kMonth:
      std::snprintf(text, sizeof text, "%04d-%02d", period.year, period.month);
      break;
    case PeriodKind::kDay:
      std::snprintf(text, sizeof text, "%04d-%02d-%02d", period.year, period.month, period.day);
      break;
  }
  return text;
}

Result<Period> parse_period(std::string_view text) {
  if (const std::optional<Period> period = read_period(text)) return *period;
  return Status(StatusCode::kInvalidArgument,
                "'" + std::string(text) +
                    "' is no period; write a day as 2026-11-29, a month as 2026-11, or a year as "
                    "2026");
}

Period period_at(const PeriodRule& rule, WallTime at) {
  if (!rule.is_set()) return {};
  const auto local =
      std::chrono::floor<Days>((at + minutes(rule.offset_minutes)).time_since_epoch());
  const std::int64_t last_day = days_before_year(kYearMax + 1) - 1;
  const std::int64_t days = std::clamp<std::int64_t>(local.count() + kDaysBefore1970, 0, last_day);
  return part_of(day_of(days), rule.kind);
}

WallTime begin_of(const PeriodRule& rule, const Period& period) {
  const std::int64_t days = days_before_year(period.year) +
                            days_before_month(period.year, std::max(period.month, 1)) +
                            std::max(period.day, 1) - 1;
  return WallTime(Days(days - kDaysBefore1970)) - minutes(rule.offset_minutes);
}

WallTime end_of(const PeriodRule& rule, const Period& period) {
  return begin_of(rule, next_period(period));
}

Period next_period(const Period& period) {
  Period next = period;
  if (period.day != 0) {
    if (++next.day <= days_in_month(period.year, period.month)) return next;
    next.day = 1;
  }
  if (period.month != 0) {
    if (++next.month <= 12) return next;
    next.month = 1;
  }
  ++next.year;
  return next;
}

std::string period_row(std::string_view tag, const Period& period) {
  return std::string(tag) + "@" + to_string(period);
}

std::optional<PeriodRow> parse_period_row(std::string_view name) {
  const std::size_t at = name.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view tag = name.substr(0, at);
  const std::optional<Period> period = read_period(name.substr(at + 1));
  if (!period || !validate_tag(tag).ok() || count_chars(tag) > kPeriodTagCharsMax) {
    return std::nullopt;
  }
  return PeriodRow{std::string(tag), *period};
}

}  // namespace featherid
