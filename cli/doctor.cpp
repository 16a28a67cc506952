// SPDX-License-Identifier: MIT
#include "cli/doctor.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/command_line.h"

namespace featherid {

namespace {

using Level = Finding::Level;

const char* name_of(Level level) {
  switch (level) {
    case Level::kProblem:
      return "problem";
    case Level::kWarning:
      return "warning";
    case Level::kFact:
      break;
  }
  return "ok";
}

Colour colour_of(Level level) {
  return level == Level::kProblem   ? Colour::kRed
         : level == Level::kWarning ? Colour::kYellow
                                    : Colour::kGreen;
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Status doctor(Context& context) {
  const StoreOptions& options = context.config().store;
  if (const Result<Store*> exists = context.store(); !exists.ok()) return exists.status();
  std::vector<Finding> findings = examine_store(options);
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.level > b.level; });
  std::size_t counts[3] = {};
  std::vector<Record> records;
  Output& out = context.out();
  for (const Finding& finding : findings) {
    ++counts[static_cast<int>(finding.level)];
    records.push_back(
        {{"level", name_of(finding.level)}, {"topic", finding.topic}, {"text", finding.text}});
    out.line(out.painted(colour_of(finding.level), name_of(finding.level)) + "  " + finding.topic +
             ": " + printable(finding.text));
  }
  if (out.json()) out.list(records, "");
  const std::size_t problems = counts[static_cast<int>(Level::kProblem)];
  const std::size_t warnings = counts[static_cast<int>(Level::kWarning)];
  if (problems + warnings == 0) return {};
  return {StatusCode::kFailedPrecondition, counted(problems, "problem") + " and " +
                                               counted(warnings, "warning") + " in " +
                                               redacted(options.addresses)};
}

}  // namespace

void add_doctor(CommandLine& line) {
  line.add("doctor", "report what could lose or stop ids, and what to do", doctor);
}

}  // namespace featherid
