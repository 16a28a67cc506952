// SPDX-License-Identifier: MIT
#include "server/config/values.h"

#include <charconv>
#include <cstddef>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

namespace featherid {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr Unit kNumbers[] = {{"", 1}};
constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
constexpr Unit kSizes[] = {{"", 1},          {"KB", 1000},     {"MB", 1000000}, {"GB", 1000000000},
                           {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

// A number and one of the units, in the smallest unit; -1 if it is malformed.
template <std::size_t N>
std::int64_t parse_amount(std::string_view text, const Unit (&units)[N]) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const std::string_view name(stop, static_cast<std::size_t>(end - stop));
  if (error != std::errc() || number < 0) return -1;
  for (const Unit& unit : units) {
    if (unit.name == name && number <= std::numeric_limits<std::int64_t>::max() / unit.factor) {
      return number * unit.factor;
    }
  }
  return -1;
}

template <std::size_t N>
Result<std::int64_t> parse_between(const std::string& text, const char* min, const char* max,
                                   const Unit (&units)[N]) {
  const std::int64_t amount = parse_amount(text, units);
  if (amount >= parse_amount(min, units) && amount <= parse_amount(max, units)) return amount;
  const std::string between = std::string("between ") + min + " and " + max;
  if (text.empty()) return invalid("has no value; give one " + between);
  return invalid("'" + text + "' is not " + between);
}

}  // namespace

Status invalid(std::string message) { return {StatusCode::kInvalidArgument, std::move(message)}; }

Result<std::int64_t> parse_number(const std::string& text, const char* min, const char* max) {
  return parse_between(text, min, max, kNumbers);
}

Result<std::int64_t> parse_size(const std::string& text, const char* min, const char* max) {
  return parse_between(text, min, max, kSizes);
}

Result<std::chrono::milliseconds> parse_duration(const std::string& text, const char* min,
                                                 const char* max) {
  if (parse_amount(text, kNumbers) >= 0) {
    return invalid("'" + text + "' has no unit; write " + text + "s, or use ms, m or h");
  }
  const Result<std::int64_t> amount = parse_between(text, min, max, kDurations);
  if (!amount.ok()) return amount.status();
  return std::chrono::milliseconds(*amount);
}

Result<asio::ip::tcp::endpoint> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  asio::error_code bad_host;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, bad_host);
  if (colon != std::string::npos && !bad_host && address.is_v6() == bracketed) {
    const Result<std::int64_t> port = parse_number(text.substr(colon + 1), "0", "65535");
    if (port.ok()) return asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(*port));
  }
  return invalid("'" + text + "' is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080");
}

}  // namespace featherid
