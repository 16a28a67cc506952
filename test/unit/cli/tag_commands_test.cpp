// SPDX-License-Identifier: MIT
#include "cli/tag_commands.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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

TEST_CASE("a share of more than everything is said to be passed", "[cli]") {
  const Commands commands;
  commands.run({"tag", "create", "big", "--cap", "3000000000"});
  const auto row = [&] { return commands.run({"tags", "big"}).out; };
  commands.run({"advance", "big", "2147483647"});
  CHECK(row().find(" 71.6 %   100.0 %  < 0.1 %\n") != std::string::npos);
  commands.run({"advance", "big", "3000000000"});
  CHECK(row().find(" 100.0 %    passed  < 0.1 %\n") != std::string::npos);
  commands.run({"advance", "big", "9007199254740993"});
  CHECK(row().find("  passed    passed   passed\n") != std::string::npos);
  const auto json = nlohmann::json::parse(commands.run({"tags", "big", "--json"}).out);
  CHECK(json[0]["of_cap"] > 1);
}

TEST_CASE("a tag has a cap, a description and an owner", "[cli]") {
  const Commands commands;
  CHECK(commands
            .run({"tag", "create", "invoice", "--cap", "int32", "--description", "bills", "--owner",
                  "ann"})
            .exit_code == 0);
  const auto shown = [&] {
    return nlohmann::json::parse(commands.run({"tag", "show", "invoice", "--json"}).out);
  };
  CHECK(shown()["cap"] == 2147483647);
  CHECK(shown()["description"] == "bills");
  CHECK(shown()["owner"] == "ann");
  CHECK(shown()["created_by"].is_string());
  CHECK(shown()["created_at"].get<std::string>().substr(0, 2) == "20");

  CHECK(commands.run({"tag", "set", "invoice"}).exit_code == 2);  // nothing to set
  CHECK(commands.run({"tag", "set", "invoice", "--cap", "12digits"}).exit_code == 0);
  CHECK(shown()["cap"] == 999999999999);
  CHECK(shown()["owner"] == "ann");
  CHECK(commands.run({"tag", "set", "invoice", "--owner", "", "--cap", "2^53"}).exit_code == 0);
  CHECK(shown()["cap"] == std::int64_t{1} << 53);
  CHECK(shown()["owner"].is_null());

  CHECK(commands.run({"advance", "invoice", "100"}).exit_code == 0);
  const CommandResult below = commands.run({"tag", "set", "invoice", "--cap", "99"});
  CHECK(below.exit_code == 2);
  CHECK(below.err.find("below its max_id 100") != std::string::npos);
  CHECK(commands.run({"tag", "set", "invoice", "--cap", "100"}).exit_code == 0);
  CHECK(commands.run({"next", "invoice"}).exit_code == 6);
  CHECK(commands.run({"tag", "set", "invoice", "--cap", "none"}).exit_code == 0);
  CHECK(shown()["cap"].is_null());
  CHECK(commands.run({"next", "invoice"}).out == "101\n");
  for (const char* bad : {"--cap=0", "--cap=-1", "--cap=x", "--cap=", "--cap=20digits", "--step=0",
                          "--owner=a\tb", "--description=\xff"}) {
    CAPTURE(bad);
    CHECK(commands.run({"tag", "set", "invoice", bad}).exit_code == 2);
  }
}

TEST_CASE("a tag may have strict order", "[cli]") {
  const Commands commands;
  CHECK(commands.run({"tag", "create", "invoice", "--order", "strict"}).exit_code == 0);
  const auto order = [&] {
    return nlohmann::json::parse(commands.run({"tag", "show", "invoice", "--json"}).out)["order"];
  };
  CHECK(order() == "strict");
  CHECK(commands.run({"next", "invoice", "-n", "2"}).out == "1\n2\n");
  CHECK(commands.run({"tag", "set", "invoice", "--owner", "ann"}).exit_code == 0);
  CHECK(order() == "strict");
  CHECK(commands.run({"tag", "set", "invoice", "--order", "plain"}).exit_code == 0);
  CHECK(order() == "plain");
  const CommandResult bad = commands.run({"tag", "set", "invoice", "--order", "Strict"});
  CHECK(bad.exit_code == 2);
  CHECK(bad.err.find("--order: the order must be plain or strict") != std::string::npos);
}

TEST_CASE("a deleted tag that is created again starts past its ids", "[cli]") {
  const Commands commands;
  CHECK(commands.run({"next", "order", "-n", "5"}).exit_code == 0);
  CHECK(commands.run({"tag", "delete", "order", "--yes"}).exit_code == 0);
  CHECK(commands.run({"init"}).out.find("tags created: none") != std::string::npos);
  CHECK(commands.run({"tag", "show", "order"}).exit_code == 4);
  CHECK(commands.run({"tag", "create", "order"}).out ==
        "tag 'order' is created; its ids start at 6\n");
}

TEST_CASE("what works on a database only says so if a server is named", "[cli]") {
  const std::string server = "--server=http://127.0.0.1:1";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"init"}, {"import", "leaf"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back(server);
    const CommandResult result = run_command(arguments);
    CHECK(result.exit_code == 2);
    CHECK(result.err.find("works only on the database, but --server names a server") !=
          std::string::npos);
  }
  const CommandResult nobody = run_command({"tags", server});
  CHECK(nobody.exit_code == 3);
  CHECK(nobody.err.find("no answer from http://127.0.0.1:1") != std::string::npos);
  CHECK(run_command({"tags", server, "--database", "sqlite3:x.db"}).exit_code == 2);
  for (const char* bad : {"--server=ids.example:8080", "--server=ftp://ids.example",
                          "--server=http://ids.example/ids", "--server=http://a:b@ids.example"}) {
    CAPTURE(bad);
    CHECK(run_command({"tags", bad}).exit_code == 2);
  }
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

TEST_CASE("a tag may begin at 1 in each period, which next prints", "[cli][period]") {
  const Commands commands;
  CHECK(commands.run({"tag", "create", "bill", "--period", "year", "--period-offset", "-60"}).out ==
        "tag 'bill' is created; its ids start at 1 in each year\n");
  const auto shown = [&](const char* tag) {
    return nlohmann::json::parse(commands.run({"tag", "show", tag, "--json"}).out);
  };
  CHECK(shown("bill")["period"] == "year");
  CHECK(shown("bill")["period_offset"] == -60);
  CHECK(shown("order")["period"].is_null());
  const std::string out = commands.run({"next", "bill", "-n", "2"}).out;  // "1 2026\n2 2026\n"
  CHECK(out.size() == 14);
  CHECK(out.substr(0, 4) == "1 20");
  const nlohmann::json next = nlohmann::json::parse(commands.run({"next", "bill", "--json"}).out);
  CHECK(next["ids"][0] == 3);
  CHECK(next["period"].get<std::string>().size() == 4);
  for (const char* const bad : {"--period=week", "--period-offset=841", "--period-offset=x"}) {
    CAPTURE(bad);
    CHECK(commands.run({"tag", "create", "new", "--period", "day", bad}).exit_code == 2);
  }
  CHECK(commands.run({"tag", "create", "other@2026", "--step", "5"}).exit_code == 2);
  CHECK(commands.run({"tag", "set", "bill", "--period", "day"}).exit_code == 2);
}

TEST_CASE("the ids of a tag with a time floor tell when they were leased", "[cli][floor]") {
  const Commands commands;
  CHECK(commands.run({"tag", "create", "bill", "--floor-rate", "1000"}).out ==
        "tag 'bill' is created; its ids follow the clock\n");
  const auto shown = [&](const char* tag) {
    return nlohmann::json::parse(commands.run({"tag", "show", tag, "--json"}).out);
  };
  CHECK(shown("order")["floor_rate"].is_null());
  CHECK(shown("bill")["floor_rate"] == 1000);
  CHECK(shown("bill")["floor_epoch"] == 0);
  CHECK(shown("bill")["floor_lead_max"] == 10);
  CHECK(shown("bill")["floor_only_warns"] == false);
  CHECK(commands.run({"tag", "set", "bill", "--floor-lead-max", "20"}).exit_code == 0);
  CHECK(shown("bill")["floor_lead_max"] == 20);
  const CommandResult lower = commands.run({"tag", "set", "bill", "--floor-rate", "999"});
  CHECK(lower.exit_code == 2);
  CHECK(lower.err.find("may only rise") != std::string::npos);
  for (const char* bad : {"--floor-rate=0", "--floor-rate=x", "--floor-epoch=-1",
                          "--floor-lead-max=0", "--floor-only-warns=perhaps"}) {
    CAPTURE(bad);
    CHECK(commands.run({"tag", "set", "bill", bad}).exit_code == 2);
  }
  CHECK(commands.run({"tag", "set", "order", "--floor-lead-max", "20"}).exit_code == 2);

  std::string id = commands.run({"next", "bill"}).out;
  id.pop_back();
  CHECK(shown("bill")["floor_lead_seconds"].is_number());
  const nlohmann::json when =
      nlohmann::json::parse(commands.run({"when", id, "bill", "--json"}).out);
  CHECK(when["tag"] == "bill");
  CHECK(std::to_string(when["id"].get<std::int64_t>()) == id);
  CHECK(when["from"].get<std::string>() < when["until"].get<std::string>());
  CHECK(when["until"].get<std::string>().size() == std::string("2026-11-29T20:00:00.000Z").size());
  CHECK(commands.run({"when", id, "bill"}).out.find("was leased between 20") != std::string::npos);
  CHECK(commands.run({"when", id}).out.find("bill") != std::string::npos);
  CHECK(commands.run({"when", "5"}).out.find("bill") != std::string::npos);
  CHECK(commands.run({"when", id + "0"}).out ==
        "no tag with a time floor has leased id " + id + "0\n");
  const CommandResult future = commands.run({"when", id + "0", "bill"});
  CHECK(future.exit_code == 2);
  CHECK(future.err.find("has not been leased") != std::string::npos);
  CHECK(commands.run({"when", "1", "order"}).exit_code == 2);
  CHECK(commands.run({"when", "1", "nix"}).exit_code == 4);
}

}  // namespace featherid::test
