// SPDX-License-Identifier: MIT
#include <string>

#include "test/support/catch.h"
#include "test/support/scripted_server.h"
#include "test/unit/cli/run_command.h"

namespace featherid::test {

TEST_CASE("the command's ids are exact, also through something that rounds numbers", "[cli]") {
  // As JavaScript reads and writes them.
  ScriptedServer server([](const std::string& request) {
    const bool exact = ScriptedServer::parameter(request, "as") == "string";
    return ScriptedServer::answer(
        200, 0,
        exact ? R"([{"first":"9007199254740993","last":"9007199254740993"}])"
              : R"([{"first":9007199254740992,"last":9007199254740992}])");
  });
  const CommandResult result = run_command({"--server", server.url(), "next", "order"});
  CAPTURE(result.err);
  CHECK(result.out == "9007199254740993\n");
}

}  // namespace featherid::test
