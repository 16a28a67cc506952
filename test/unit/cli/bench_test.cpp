// SPDX-License-Identifier: MIT
#include "cli/bench.h"

#include <nlohmann/json.hpp>
#include <string>

#include "test/support/catch.h"
#include "test/unit/cli/run_command.h"

namespace featherid::test {

TEST_CASE("bench counts its leases and uses up the ids of one tag", "[cli][bench]") {
  const Commands commands;
  const CommandResult result =
      commands.run({"bench", "user", "--time", "200ms", "--threads", "2", "--ids", "7", "--json"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  const auto figures = nlohmann::json::parse(result.out);
  const std::int64_t leases = figures["leases"];
  CHECK(leases > 0);
  CHECK(figures["ms_p50"] <= figures["ms_p99"]);
  CHECK(figures["ms_p99"] <= figures["ms_max"]);
  CHECK(commands.run({"next", "user"}).out == std::to_string(leases * 7 + 1) + "\n");
  CHECK(commands.run({"next", "health"}).out == "1\n");
}

TEST_CASE("bench uses up the ids of the present period", "[cli][bench][period]") {
  const Commands commands;
  REQUIRE(commands.run({"tag", "create", "bill", "--period", "day"}).exit_code == 0);
  const CommandResult result = commands.run({"bench", "bill", "--time", "200ms", "--json"});
  CAPTURE(result.err);
  REQUIRE(result.exit_code == 0);
  const std::int64_t leases = nlohmann::json::parse(result.out)["leases"];
  CHECK(leases > 0);
  // 1000 ids in each. (Tomorrow begins at 1 again.)
  const std::string next = commands.run({"next", "bill"}).out;
  const std::string number = next.substr(0, next.find(' '));
  CHECK((number == std::to_string(leases * 1000 + 1) || number == "1"));
}

TEST_CASE("bench refuses what it cannot do", "[cli][bench]") {
  const Commands commands;
  CHECK(commands.run({"bench", "nix", "--time", "200ms"}).exit_code == 4);
  for (const char* bad : {"--threads=0", "--threads=65", "--time=5", "--time=2h", "--ids=0"}) {
    CAPTURE(bad);
    CHECK(commands.run({"bench", bad}).exit_code == 2);
  }
}

}  // namespace featherid::test
