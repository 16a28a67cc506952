// SPDX-License-Identifier: MIT
#include "cli/tag_commands.h"

#include <nlohmann/json.hpp>
#include <string>

#include "test/support/catch.h"
#include "test/unit/cli/run_command.h"

namespace featherid::test {

TEST_CASE("next leases just what it prints", "[cli]") {
  const Commands commands;
  CHECK(commands.run({"next", "order"}).out == "1\n");
  CHECK(commands.run({"next", "order", "-n", "3"}).out == "2\n3\n4\n");
  CHECK(commands.run({"next", "order", "-n", "2", "--json"}).out ==
        "{\"tag\":\"order\",\"ids\":[5,6]}\n");
  CHECK(commands.run({"next", "order"}).out == "7\n");  // no gap
  const CommandResult none = commands.run({"next", "nix"});
  CHECK(none.exit_code == 4);
  CHECK(none.err.find("no such tag 'nix'") != std::string::npos);
  CHECK(commands.run({"advance", "order", "9223372036854775805"}).exit_code == 0);
  CHECK(commands.run({"next", "order", "-n", "2"}).exit_code == 6);
  CHECK(commands.run({"next", "order"}).out == "9223372036854775806\n");
}

TEST_CASE("a tag is created, shown, changed and deleted", "[cli]") {
  const Commands commands;
  CHECK(commands.run({"tag", "create", "订单", "--step", "5"}).out ==
        "tag '订单' is created; its ids start at 1\n");
  const CommandResult again = commands.run({"tag", "create", "订单"});
  CHECK(again.exit_code == 5);
  CHECK(again.err == "featherid: tag '订单' already exists\n");
  const auto shown = [&] {
    return nlohmann::json::parse(commands.run({"tag", "show", "订单", "--json"}).out);
  };
  CHECK(shown()["step"] == 5);
  CHECK(commands.run({"tag", "set", "订单", "--step", "7"}).exit_code == 0);
  CHECK(shown()["step"] == 7);
  CHECK(commands.run({"tags", "订"}).out.find("order") == std::string::npos);
  CHECK(commands.run({"tags", "nix"}).out == "no tags\n");

  CHECK(commands.run({"tag", "delete", "订单"}).exit_code == 2);  // nobody can be asked
  CHECK(commands.run({"tag", "delete", "订单"}, "yes\n").exit_code == 1);
  CHECK(shown()["max_id"] == 0);
  CHECK(commands.run({"tag", "delete", "订单"}, "订单\n").exit_code == 0);
  for (const char* command : {"show", "delete"}) {
    CHECK(commands.run({"tag", command, "订单"}, "订单\n").exit_code == 4);
  }
  CHECK(commands.run({"tag", "set", "订单", "--step", "7"}).exit_code == 4);
}

TEST_CASE("a tag moves forward at once, and back only if that is confirmed", "[cli]") {
  const Commands commands;
  CHECK(commands.run({"advance", "order", "100"}).out ==
        "tag 'order' was at 0 and is at 100 now\n");
  CHECK(commands.run({"advance", "order", "100"}).out ==
        "tag 'order' is at 100, so nothing was changed\n");
  CHECK(commands.run({"advance", "order", "7", "--json"}).out ==
        "{\"tag\":\"order\",\"max_id_before\":100,\"max_id\":100}\n");
  CHECK(commands.run({"advance", "nix", "7"}).exit_code == 4);

  const CommandResult unasked = commands.run({"rewind", "order", "5"});
  CHECK(unasked.exit_code == 2);
  CHECK(unasked.err.find("add --yes") != std::string::npos);
  const CommandResult wrong = commands.run({"rewind", "order", "5"}, "user\n");
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err.find("nothing was changed") != std::string::npos);
  CHECK(commands.run({"next", "order"}).out == "101\n");
  CHECK(commands.run({"rewind", "order", "5"}, "order\n").exit_code == 0);
  CHECK(commands.run({"next", "order"}).out == "6\n");
  CHECK(commands.run({"rewind", "order", "3", "--yes"}).exit_code == 0);
  CHECK(commands.run({"next", "order"}).out == "4\n");
}

}  // namespace featherid::test
