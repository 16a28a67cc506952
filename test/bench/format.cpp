// SPDX-License-Identifier: MIT
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "featherid/id_format.h"
#include "featherid/id_scramble.h"
#include "test/bench/figures.h"
#include "test/bench/parts.h"
#include "test/bench/probes.h"

namespace featherid::bench {

namespace {

// Takes one id. Its result is kept, so that it is computed.
using Use = std::function<std::int64_t(std::int64_t id)>;

// Nanoseconds per id of each use: the medians of rounds in which each has a turn.
std::map<std::string, double> cost_of(const std::map<std::string, Use>& uses,
                                      const std::vector<std::int64_t>& ids) {
  constexpr int kRounds = 101;
  std::map<std::string, std::vector<double>> ns;
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& [name, use] : uses) {
      const auto start = std::chrono::steady_clock::now();
      for (const std::int64_t id : ids) keep(use(id));
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - start;
      ns[name].push_back(took.count() / static_cast<double>(ids.size()));
    }
  }
  std::map<std::string, double> medians;
  for (auto& [name, all] : ns) medians[name] = median(std::move(all));
  return medians;
}

// Ids of exactly this many decimal digits.
std::vector<std::int64_t> ids_of(int digits) {
  std::int64_t least = 1;
  for (int i = 1; i < digits; ++i) least *= 10;
  const std::int64_t most = digits == 19 ? kIdMax : least * 10 - 1;
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> any(least, most);
  std::vector<std::int64_t> ids(2000);
  for (std::int64_t& id : ids) id = any(random);
  return ids;
}

Use format_use(const std::string& pattern) {
  Result<IdFormat> format = IdFormat::make(pattern);
  if (!format.ok()) throw std::runtime_error(format.status().to_string());
  return [format = *format](std::int64_t id) {
    char text[IdFormat::kLengthMax];
    const Result<std::size_t> length = format.format_to(text, id, {2026, 11, 29});
    return static_cast<std::int64_t>(length.ok() ? text[*length - 1] : -1);
  };
}

Use scramble_use(const Result<IdScramble>& scramble, const std::string& tweak) {
  if (!scramble.ok()) throw std::runtime_error(scramble.status().to_string());
  return [scramble = *scramble, tweak](std::int64_t id) {
    return scramble.scramble(id, tweak).value();
  };
}

}  // namespace

void measure_format() {
  const std::map<std::string, std::string> patterns = {
      {"plain", "{id}"},
      {"invoice", "INV-{year}-{id width=8}-{check damm}"},
      {"date", "{year}{month}{day}-{id}"},
      {"groups", "{id width=12 group=4}"},
      {"damm", "{id}{check damm}"},
      {"luhn", "{id}{check luhn}"},
      {"mod97", "{id}{check mod97}"},
      {"radix_16", "{id radix=16}"},
      {"crockford", "{id radix=32 width=12 group=4}-{check damm}"},
      {"radix_36", "{id radix=36}"},
      {"radix_58", "{id radix=58}"},
      {"radix_62", "{id radix=62}"},
  };
  std::map<std::string, Use> uses;
  for (const auto& [name, pattern] : patterns) uses[name] = format_use(pattern);
  uses["everything"] = format_use("INV-{year}{month}{day}-{id width=19 group=4}-{check luhn}");
  uses["to_chars"] = [](std::int64_t id) {
    char text[32];
    return static_cast<std::int64_t>(std::to_chars(text, text + sizeof(text), id).ptr[-1]);
  };
  const IdFormat invoice = IdFormat::make(patterns.at("invoice")).value();
  for (const int digits : {10, 19}) {
    const std::vector<std::int64_t> ids = ids_of(digits);
    const std::map<std::string, double> ns = cost_of(uses, ids);
    const std::string of = ".digits_" + std::to_string(digits);
    figure("cost.to_chars" + of, ns.at("to_chars"), "ns");
    // What every part at once costs has no budget.
    figure("cost.format_everything" + of + ".beyond_to_chars",
           ns.at("everything") - ns.at("to_chars"), "ns");
    for (const auto& [name, pattern] : patterns) {
      figure("format." + name + of + ".beyond_to_chars", ns.at(name) - ns.at("to_chars"), "ns");
    }
  }
  const std::map<std::string, Use> whole = {
      {"format.string",
       [&](std::int64_t id) {
         return static_cast<std::int64_t>(invoice.format(id, {2026, 11, 29})->size());
       }},
      {"format_parse", [&](std::int64_t id) {
         return invoice.parse(*invoice.format(id, {2026, 11, 29}))->id;
       }}};
  for (const auto& [name, ns] : cost_of(whole, ids_of(10))) figure("cost." + name, ns, "ns");
}

void measure_scramble() {
  const auto keys = [](const std::string& key) { return ScrambleKeys::parse("0:" + key).value(); };
  const std::string key(32, '7');
  const std::map<std::string, Use> uses = {
      {"digits_12", scramble_use(IdScramble::with_digits(12, keys(key)), "")},
      {"bits_40", scramble_use(IdScramble::with_bits(40, keys(key)), "")},
      {"bits_63", scramble_use(IdScramble::with_bits(63, keys(key)), "")},
      {"bits_40_tweak_10", scramble_use(IdScramble::with_bits(40, keys(key)), "2026-11-29")},
      {"bits_40_aes_256", scramble_use(IdScramble::with_bits(40, keys(key + key)), "")},
  };
  for (const auto& [name, ns] : cost_of(uses, ids_of(10)))
    figure("cost.scramble." + name, ns, "ns");
}

}  // namespace featherid::bench
