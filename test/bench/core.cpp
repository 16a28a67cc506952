// SPDX-License-Identifier: MIT
// featherid_bench_core [--plot FILE] [PART...]   prints the figures of these parts, or of all.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "test/bench/parts.h"

namespace {

struct Part {
  std::string name;
  void (*measure)();
};

std::string plot_file;

const Part kParts[] = {
    {"fast_path", [] { featherid::bench::measure_fast_path(plot_file); }},
    {"refill", featherid::bench::measure_refill},
    {"tags", featherid::bench::measure_tags},
    {"start", featherid::bench::measure_start},
    {"tls", featherid::bench::measure_tls},
    {"strict", featherid::bench::measure_strict},
    {"format", featherid::bench::measure_format},
    {"scramble", featherid::bench::measure_scramble},
};

const Part* find_part(const std::string& name) {
  for (const Part& part : kParts) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<const Part*> parts;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--plot" && i + 1 < argc) {
      plot_file = argv[++i];
    } else if (const Part* part = find_part(argument)) {
      parts.push_back(part);
    } else {
      std::cerr << "featherid_bench_core: '" << argument << "' is not a part; the parts are:";
      for (const Part& each : kParts) std::cerr << ' ' << each.name;
      std::cerr << '\n';
      return 2;
    }
  }
  if (parts.empty()) {
    for (const Part& each : kParts) parts.push_back(&each);
  }
  try {
    for (const Part* part : parts) part->measure();
  } catch (const std::exception& e) {
    std::cerr << "featherid_bench_core: " << e.what() << '\n';
    return 1;
  }
  return 0;
}
