// SPDX-License-Identifier: MIT
#include "cli/doctor.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "lib/base/utf8.h"
#include "server/store/report.h"

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

// Whether a URL of a server leads to this machine.
bool is_local(const std::string& url) {
  static const std::regex kLocal(R"(https?://(localhost|127\.[0-9.]+|\[::1\])(:.*)?)",
                                 std::regex::icase);
  return std::regex_match(url, kLocal);
}

// How long the server takes to answer, from here.
Result<Finding> measure_answers(ServerClient& server) {
  using Clock = std::chrono::steady_clock;
  constexpr int kCalls = 100;
  std::vector<double> ms;
  const Clock::time_point end = Clock::now() + std::chrono::seconds(3);
  do {
    const Clock::time_point asked = Clock::now();
    if (const auto answer = server.clock_ahead(); !answer.ok()) return answer.status();
    ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - asked).count());
  } while (ms.size() < kCalls && Clock::now() < end);
  std::sort(ms.begin(), ms.end());
  char text[96];
  std::snprintf(text, sizeof text, "an answer takes %.2f ms (median of %zu), p99 %.2f ms",
                ms[ms.size() / 2], ms.size(), ms[(ms.size() - 1) * 99 / 100]);
  return Finding{Level::kFact, "latency", text};
}

// As examine_store(), for what can be seen through a server.
std::vector<Finding> examine_server(ServerClient& server, const std::string& url) {
  constexpr std::chrono::seconds kClockDifferenceMax{3};
  std::vector<Finding> findings;
  const auto add = [&findings](Level level, const char* topic, const std::string& text) {
    findings.push_back({level, topic, text});
  };
  const Result<std::chrono::seconds> ahead = server.clock_ahead();
  if (!ahead.ok()) {
    add(Level::kProblem, "server", ahead.status().message());
    return findings;
  }
  const Status ready = server.ready();
  add(ready.ok() ? Level::kFact : Level::kProblem, "server",
      ready.ok() ? "it is ready" : ready.message());
  const bool wrong = std::chrono::abs(*ahead) > kClockDifferenceMax;
  add(wrong ? Level::kWarning : Level::kFact, "clock",
      wrong ? "the server's clock is " + std::to_string(std::abs(ahead->count())) + " s " +
                  (ahead->count() < 0 ? "behind" : "ahead of") + " this machine's; run NTP on both"
            : "the server's clock agrees with this machine's to within 3 s");
  if (url.rfind("https:", 0) == 0) {
    add(Level::kFact, "tls", "the connection is encrypted, and the certificate was checked");
  } else if (!is_local(url)) {
    add(Level::kWarning, "tls",
        "tokens and ids travel unencrypted; give the server --tls-cert and --tls-key, and use "
        "https://");
  }
  const Result<std::vector<TagInfo>> tags = server.tags().list();
  if (!tags.ok()) add(Level::kProblem, "tags", tags.status().message());
  if (tags.ok()) {
    const std::vector<Finding> of_tags = examine_tags(*tags);
    findings.insert(findings.end(), of_tags.begin(), of_tags.end());
  }
  const Result<Finding> latency = measure_answers(server);
  findings.push_back(latency.ok() ? *latency
                                  : Finding{Level::kProblem, "server", latency.status().message()});
  return findings;
}

Result<std::vector<Finding>> examine(Context& context) {
  const Result<ServerClient*> server = context.server();
  if (!server.ok()) return server.status();
  if (*server != nullptr) return examine_server(**server, context.source());
  if (const Result<Store*> exists = context.store(); !exists.ok()) return exists.status();
  return examine_store(context.config().store);
}

Status doctor(Context& context) {
  Result<std::vector<Finding>> examined = examine(context);
  if (!examined.ok()) return examined.status();
  std::vector<Finding>& findings = *examined;
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
                                               context.source()};
}

// For health checks. It takes no id and needs no token. A server without its database answers too,
// because a restart would lose the ids that it still holds.
Status ping(Context& context) {
  const Result<ServerClient*> server = context.server();
  if (!server.ok()) return server.status();
  if (*server != nullptr) {
    if (const auto answer = (*server)->clock_ahead(); !answer.ok()) return answer.status();
  } else {
    const Result<Store*> store = context.store();
    if (Status status = store.ok() ? (*store)->probe() : store.status(); !status.ok()) {
      return status;
    }
  }
  context.out().say(context.source() + " answers", {{"source", context.source()}});
  return {};
}

}  // namespace

void add_doctor(CommandLine& line) {
  line.add("ping", "check whether the server answers, or the database grants leases", ping);
  line.add("doctor", "report what could lose or stop ids, and what to do", doctor);
}

}  // namespace featherid
