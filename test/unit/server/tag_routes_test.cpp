// SPDX-License-Identifier: MIT
#include "server/api/tag_routes.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "server/api/tag_json.h"
#include "test/support/catch.h"
#include "test/support/count_of.h"
#include "test/support/gate.h"
#include "test/support/log_capture.h"
#include "test/support/patient.h"
#include "test/support/route_service.h"
#include "test/support/wait_until.h"

namespace featherid {

using nlohmann::json;
using std::chrono::milliseconds;

namespace {

// The tag calls of a server, on a store in memory.
struct Service : test::RouteService {
  Service()
      : RouteService("/api/v1/", [](Exchange& exchange, Effect) {
          exchange.who = "ann";
          return true;
        }) {
    add_tag_routes(router, store, allocator, calls);
  }
  ~Service() { calls.join(); }

  std::string names(const std::string& query) const {
    std::string names;
    const json page = good("GET", "tags" + query);
    for (const json& tag : page["tags"]) {
      names += (names.empty() ? "" : " ") + tag["biz_tag"].get<std::string>();
    }
    return names;
  }

  SegmentAllocator allocator{store, test::patient()};
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("by HTTP a tag is created, shown, changed and deleted", "[tag_routes]") {
  const Service service;
  const json made = service.good(
      "POST", "tag?biz_tag=order&step=50&cap=int32&description=a%20%22b%22&owner=shop&max_id=7");
  CHECK(made["biz_tag"] == "order");
  CHECK(made["max_id"] == 7);
  CHECK(made["step"] == 50);
  CHECK(made["cap"] == 2147483647);
  CHECK(made["description"] == "a \"b\"");
  CHECK(made["owner"] == "shop");
  CHECK(made["created_by"] == "ann");
  CHECK(made["changed_by"] == "ann");
  CHECK(made["created_at"] == made["changed_at"]);
  CHECK(made["created_at"].get<std::string>().size() == std::string("2026-11-29T19:00:00Z").size());
  CHECK(service.good("GET", "tag?biz_tag=order") == made);
  const json quoted = service.good("GET", "tag?biz_tag=order&as=string");
  CHECK(quoted["max_id"] == "7");
  CHECK(quoted["cap"] == "2147483647");
  CHECK(quoted["step"] == 50);

  const json changed = service.good("PATCH", "tag?biz_tag=order&cap=none&description=");
  CHECK(changed["cap"].is_null());
  CHECK(changed["description"] == "");
  CHECK(changed["owner"] == "shop");
  CHECK(changed["step"] == 50);
  CHECK(service.good("PATCH", "tag?biz_tag=order&cap=none&description=") == changed);

  CHECK(changed["order"] == "plain");
  CHECK(service.good("PATCH", "tag?biz_tag=order&order=strict")["order"] == "strict");
  CHECK(service.good("GET", "tag?biz_tag=order")["order"] == "strict");
  CHECK(service.good("PATCH", "tag?biz_tag=order&order=plain")["order"] == "plain");

  CHECK(service.good("DELETE", "tag?biz_tag=order")["order"] == "plain");
  for (const char* method : {"GET", "DELETE"}) {
    CHECK(service.bad(method, "tag?biz_tag=order").find("404 4 no such tag 'order'") == 0);
  }
  CHECK(service.bad("PATCH", "tag?biz_tag=order&step=1").find("404 4 ") == 0);
  const json plain = service.good("POST", "tag?biz_tag=plain");
  CHECK(plain["step"] == 1000);
  CHECK(plain["max_id"] == 0);
}

TEST_CASE("a change that changes nothing is neither made nor logged", "[tag_routes]") {
  const Service service;
  service.good("POST", "tag?biz_tag=order&step=50&cap=900&owner=shop");
  service.store->on_update = [](std::string_view, const TagChange&) {
    return Status(StatusCode::kUnavailable, "it was made");
  };
  const test::LogCapture log;
  service.good("PATCH", "tag?biz_tag=order&step=50&cap=900&owner=shop&description=");
  CHECK(test::count_of(log.text(), "changed tag") == 0);
  CHECK(service.bad("PATCH", "tag?biz_tag=order&step=50&cap=901").find("503") == 0);
}

TEST_CASE("who moved a tag is on record", "[tag_routes]") {
  const Service service;
  NewTag made(10);
  made.by = "bob";
  REQUIRE(service.store->create("order", made).ok());
  const auto changed_by = [&] {
    return service.good("GET", "tag?biz_tag=order")["changed_by"].get<std::string>();
  };
  service.good("POST", "tag/advance?biz_tag=order&max_id=0");
  CHECK(changed_by() == "bob");  // it is there already
  service.good("POST", "tag/advance?biz_tag=order&max_id=50");
  CHECK(changed_by() == "ann");
  TagChange change(20);
  change.by = "bob";
  REQUIRE(service.store->update("order", change).ok());
  const json moved =
      service.good("POST", "tag/rewind?biz_tag=order&confirm=order&from=50&max_id=7");
  CHECK(moved["changed_by"] == "ann");
  CHECK(moved["max_id"] == 7);
}

TEST_CASE("a time that nobody has recorded is null", "[tag_routes]") {
  TagInfo tag;
  tag.tag = "a";
  CHECK(has(tag_json(tag, false), R"("created_at":null)"));
  tag.created_at += std::chrono::seconds(951782400);
  CHECK(has(tag_json(tag, false), R"("created_at":"2000-02-29T00:00:00Z")"));
}

TEST_CASE("a tag can be created twice if it is as asked", "[tag_routes]") {
  const Service service;
  const std::string call = "tag?biz_tag=order&step=50&cap=500&owner=shop&max_id=7";
  const json made = service.good("POST", call);
  CHECK(service.good("POST", call) == made);
  REQUIRE(service.store->lease("order", 5).ok());  // used meanwhile
  CHECK(service.good("POST", call)["max_id"] == 12);
  CHECK(service.bad("POST", "tag?biz_tag=order") ==
        "409 7 tag 'order' already exists, with step 50 instead of 1000, cap 500 instead of none, "
        "owner \"shop\" instead of \"\"; change it by PATCH");
  CHECK(has(service.bad("POST", call + "&order=strict"), "order plain instead of strict"));
  CHECK(has(service.bad("POST", call.substr(0, call.rfind('=')) + "=13"),
            "409 7 tag 'order' already exists, with max_id 12 instead of 13"));
  CHECK(service.store->memory().find("order")->max_id == 12);
}

TEST_CASE("a tag that is created again starts past all that was leased", "[tag_routes]") {
  const Service service;
  service.good("POST", "tag?biz_tag=order");
  REQUIRE(service.store->lease("order", 70).ok());
  service.good("DELETE", "tag?biz_tag=order");
  CHECK(has(service.bad("POST", "tag?biz_tag=order&cap=69"), "400 1 the cap 69"));
  CHECK(service.good("POST", "tag?biz_tag=order&max_id=5")["max_id"] == 70);
}

TEST_CASE("tags are listed in pages, by name", "[tag_routes]") {
  const Service service;
  CHECK(service.good("GET", "tags").dump() == R"({"next":null,"tags":[]})");
  for (const char* tag : {"b", "a2", "a", "a1", "Z", "号"}) {
    REQUIRE(service.store->create(tag, 10).ok());
  }
  CHECK(service.names("") == "Z a a1 a2 b 号");
  CHECK(service.names("?prefix=a") == "a a1 a2");
  CHECK(service.names("?prefix=%E5%8F%B7") == "号");
  CHECK(service.names("?prefix=nothing").empty());
  CHECK(service.names("?after=a1") == "a2 b 号");
  CHECK(service.names("?after=a11&prefix=a") == "a2");
  CHECK(service.names("?limit=2") == "Z a");
  CHECK(service.good("GET", "tags?limit=2")["next"] == "a");
  CHECK(service.good("GET", "tags?limit=2&after=a2")["next"].is_null());
  CHECK(service.good("GET", "tags?limit=3&prefix=a")["next"].is_null());
  CHECK(service.good("GET", "tags?as=string")["tags"][0]["max_id"] == "0");
  CHECK(service.good("GET", "tags")["tags"][0]["max_id"] == 0);
  for (int i = 0; i < 200; ++i) REQUIRE(service.store->create("many " + std::to_string(i), 1).ok());
  CHECK(service.good("GET", "tags")["tags"].size() == 100);
  CHECK(service.good("GET", "tags?limit=1000")["tags"].size() == 206);
}

TEST_CASE("every page of the tags together is all of them, once", "[tag_routes]") {
  const Service service;
  for (int i = 0; i < 50; ++i) REQUIRE(service.store->create("t" + std::to_string(i), 1).ok());
  std::set<std::string> seen;
  std::string after;
  for (int pages = 1;; ++pages) {
    const json page = service.good("GET", "tags?limit=7&after=" + after);
    for (const json& tag : page["tags"]) CHECK(seen.insert(tag["biz_tag"]).second);
    if (page["next"].is_null()) {
      CHECK(pages == 8);
      break;
    }
    after = page["next"];
  }
  CHECK(seen.size() == 50);
}

TEST_CASE("a tag is rewound by its name, given twice", "[tag_routes]") {
  const Service service;
  service.good("POST", "tag?biz_tag=order&max_id=500");
  const std::string call = "tag/rewind?biz_tag=order&max_id=100";
  for (const char* confirm : {"", "&confirm=", "&confirm=Order", "&confirm=yes"}) {
    CHECK(has(service.bad("POST", call + "&from=500" + confirm), "400 1 confirm must be the name"));
  }
  CHECK(service.bad("POST", call + "&confirm=order&from=499") ==
        "409 7 tag 'order' is at 500, not at 499");
  CHECK(has(service.bad("POST", "tag/rewind?biz_tag=order&max_id=501&confirm=order&from=500"),
            "400 1 tag 'order' is at 500; to move it forward, use /api/v1/tag/advance"));
  CHECK(service.store->memory().find("order")->max_id == 500);
  CHECK(service.good("POST", call + "&confirm=order&from=500&as=string")["max_id"] == "100");
  CHECK(service.store->memory().find("order")->max_id == 100);
  CHECK(service.good("POST", call + "&confirm=order&from=500")["max_id"] == 100);  // again
  CHECK(has(service.bad("POST", "tag/rewind?biz_tag=none&max_id=0&from=1&confirm=none"), "404 4 "));
}

TEST_CASE("the server that rewinds a tag hands out none of the ids that it held", "[tag_routes]") {
  const Service service;
  service.good("POST", "tag?biz_tag=order&step=100");
  SegmentAllocator& allocator = const_cast<Service&>(service).allocator;
  CHECK(allocator.next_id("order").ok());
  const std::int64_t at = service.store->memory().find("order")->max_id;
  const std::string from = "&from=" + std::to_string(at);
  SECTION("by rewind") {
    service.good("POST", "tag/rewind?biz_tag=order&max_id=0&confirm=order" + from);
  }
  SECTION("by advance") {
    service.good("POST", "tag/advance?biz_tag=order&max_id=0&allow_backward=yes");
  }
  // Another process leases the same ids, and goes on with them.
  const Result<IdRange> other = service.store->memory().lease("order", at);
  REQUIRE(other.ok());
  const Result<std::int64_t> id = allocator.next_id("order");
  CHECK((!id.ok() || *id > other->last()));
  CHECK(allocator.shutdown() == 0);  // nothing from before may go back
  CHECK(service.store->memory().find("order")->max_id >= other->last());
}

TEST_CASE("a tag is not rewound if ids are leased from it meanwhile", "[tag_routes]") {
  const Service service;
  service.good("POST", "tag?biz_tag=order&max_id=500");
  service.store->on_rewind = [&](std::string_view tag, std::int64_t from, std::int64_t to) {
    CHECK(service.store->memory().lease(tag, 10).ok());
    return service.store->memory().rewind(tag, from, to);
  };
  CHECK(has(service.bad("POST", "tag/rewind?biz_tag=order&max_id=100&confirm=order&from=500"),
            "409 7 tag 'order' was not moved: a process leased"));
  CHECK(service.store->memory().find("order")->max_id == 510);
}

TEST_CASE("a tag is moved by POST, and by a GET that says it is deprecated", "[tag_routes]") {
  const Service service;
  REQUIRE(service.store->create("order", 10).ok());
  const auto move = [&service](const char* method, const std::string& max_id) {
    return service.ask(method, "tag/advance?biz_tag=order&max_id=" + max_id);
  };
  const Reply posted = move("POST", "9000");
  CHECK(posted.body == R"({"code":0,"msg":"success","data":9000})");
  CHECK(test::header_of(posted, "Deprecation") == "none");
  CHECK(move("POST", "9000").status == 200);  // again
  const Reply got = move("GET", "9001");
  CHECK(got.body == R"({"code":0,"msg":"success","data":9001})");
  CHECK(test::header_of(got, "Deprecation") == "@1795910400");
  CHECK(service.store->memory().find("order")->max_id == 9001);
  CHECK(test::header_of(move("GET", "x"), "Deprecation") == "@1795910400");
  CHECK(move("POST", "100").status == 400);
  CHECK(move("POST", "100&allow_backward=yes").status == 200);
  CHECK(service.store->memory().find("order")->max_id == 100);
  const Reply deleted = move("DELETE", "1");
  CHECK(deleted.status == 405);
  CHECK(test::header_of(deleted, "Allow") == "POST, GET");
}

TEST_CASE("a wrong parameter is named, and nothing is changed", "[tag_routes]") {
  const Service service;
  service.good("POST", "tag?biz_tag=order&max_id=500");
  const json before = service.good("GET", "tags");
  struct Bad {
    const char* method;
    const char* target;
    const char* says;
  };
  for (const Bad& bad : std::vector<Bad>{
           {"GET", "tag", "biz_tag is missing"},
           {"GET", "tag?biz_tag=", "biz_tag is missing"},
           {"GET", "tag?biz_tag=a%0a", "tag"},
           {"GET", "tag?biz_tag=a&biz_tag=a", "parameter 'biz_tag' is given twice"},
           {"GET", "tag?biz_tag=order&as=text", "as must be number or string"},
           {"GET", "tag?biz_tag=order&x=1", "no parameter 'x' here; there are biz_tag, as"},
           {"GET", "tags?limit=0", "limit must be a number from 1 to 1000"},
           {"GET", "tags?limit=1001", "limit"},
           {"GET", "tags?limit=", "limit"},
           {"GET", "tags?prefix=%ff", "prefix is not well-formed UTF-8"},
           {"GET", "tags?after=%00", "after contains a control character"},
           {"GET", "tags?offset=5", "no parameter 'offset'"},
           {"POST", "tag?biz_tag=new&step=0", "step must be a number from 1 to 2147483647"},
           {"POST", "tag?biz_tag=new&step=1e3", "step"},
           {"POST", "tag?biz_tag=new&step=%2010", "step"},
           {"POST", "tag?biz_tag=new&cap=0", "a cap must be none, int32"},
           {"POST", "tag?biz_tag=new&cap=5&max_id=6",
            "the cap 5 of tag 'new' is below its max_id 6"},
           {"POST", "tag?biz_tag=new&order=STRICT", "the order must be plain or strict"},
           {"POST", "tag?biz_tag=new&max_id=-1", "max_id must be a number from 0"},
           {"POST", "tag?biz_tag=new&description=%0d%0a", "description contains a control"},
           {"POST", "tag?biz_tag=new&owner=%c3%28", "owner is not well-formed"},
           {"POST", "tag?step=5", "biz_tag is missing"},
           {"POST", "tag?biz_tag=new&confirm=new", "no parameter 'confirm'"},
           {"PATCH", "tag?biz_tag=order", "there is nothing to change"},
           {"PATCH", "tag?biz_tag=order&cap=499&step=5", "the cap 499 of tag 'order' is below"},
           {"PATCH", "tag?biz_tag=order&max_id=5", "no parameter 'max_id'"},
           {"DELETE", "tag?biz_tag=order&confirm=order", "no parameter 'confirm'"},
           {"POST", "tag/advance?biz_tag=order", "max_id is missing"},
           {"POST", "tag/advance?biz_tag=order&max_id=9223372036854775807", "max_id"},
           {"POST", "tag/advance?biz_tag=order&max_id=600&allow_backward=1", "allow_backward"},
           {"POST", "tag/rewind?biz_tag=order&confirm=order&from=500", "max_id is missing"},
           {"POST", "tag/rewind?biz_tag=order&confirm=order&max_id=1", "from is missing"},
           {"POST", "tag/rewind?biz_tag=order&confirm=order&max_id=1&from=x", "from must be"},
       }) {
    CAPTURE(bad.method, bad.target);
    const std::string said = service.bad(bad.method, bad.target);
    CAPTURE(said);
    CHECK(said.find("400 1 ") == 0);
    CHECK(has(said, bad.says));
  }
  CHECK(service.good("GET", "tags") == before);
}

TEST_CASE("every change is one line: who, what, before and after, and the request",
          "[tag_routes]") {
  const Service service;
  const test::LogCapture log;
  const auto logged = [&log](std::size_t lines) {
    const std::string text = log.text();
    CAPTURE(text);
    CHECK(test::count_of(text, "\n") == static_cast<int>(lines));
    return text.substr(text.rfind('\n', text.size() - 2) + 1);
  };
  service.good("POST", "tag?biz_tag=a%22b&owner=%22%5c%22");
  CHECK(
      has(logged(1), R"("ann" created tag {"biz_tag":"a\"b","max_id":0,"step":1000,"cap":null,)"));
  CHECK(has(logged(1), R"("owner":"\"\\\"")"));
  CHECK(has(logged(1), "request"));
  service.good("POST", "tag?biz_tag=a%22b&owner=%22%5c%22");  // changes nothing
  service.good("GET", "tags");
  service.good("PATCH", "tag?biz_tag=a%22b&cap=500");
  const std::string changed = logged(2);
  CHECK(has(changed, R"("ann" changed tag {"biz_tag":"a\"b")"));
  CHECK(changed.find(R"("cap":null)") < changed.find(R"("cap":500)"));
  service.good("POST", "tag/advance?biz_tag=a%22b&max_id=100");
  CHECK(has(logged(3), R"("ann" moved tag "a\"b" from 0 to 100)"));
  service.good("POST", "tag/advance?biz_tag=a%22b&max_id=100");  // changes nothing
  service.good("POST", "tag/rewind?biz_tag=a%22b&max_id=10&from=100&confirm=a%22b");
  CHECK(has(logged(4), R"("ann" moved tag "a\"b" backward from 100 to 10: ids )"));
  service.good("DELETE", "tag?biz_tag=a%22b");
  CHECK(has(logged(5), R"("ann" deleted tag {"biz_tag":"a\"b","max_id":10,)"));
  service.bad("DELETE", "tag?biz_tag=a%22b");
  logged(5);
}

TEST_CASE("a database that goes away halfway leaves a clear answer", "[tag_routes]") {
  const Service service;
  const Status down(StatusCode::kUnavailable, "it is down");
  service.good("POST", "tag?biz_tag=order&max_id=500");
  const test::LogCapture log;
  // Before the change: nothing is done.
  service.store->on_info = [&](std::string_view) { return Result<TagInfo>(down); };
  service.store->on_create = [&](std::string_view, const NewTag&) { return down; };
  for (const auto& [method, target] : std::vector<std::pair<const char*, const char*>>{
           {"GET", "tag?biz_tag=order"},
           {"POST", "tag?biz_tag=new"},
           {"PATCH", "tag?biz_tag=order&step=5"},
           {"DELETE", "tag?biz_tag=order"},
           {"POST", "tag/rewind?biz_tag=order&max_id=0&from=500&confirm=order"}}) {
    CAPTURE(method, target);
    CHECK(service.bad(method, target) ==
          (method == std::string("GET")
               ? "503 2 it is down"
               : "503 2 it is down; the change may have been made: look at the tag"));
  }
  CHECK(test::count_of(log.text(), R"(a change by "ann" failed, and may have been made)") == 4);
  // After it: the answer says that it was made.
  service.store->on_create = nullptr;
  CHECK(service.bad("POST", "tag?biz_tag=new&step=5") ==
        "503 2 the tag was created, but cannot be read now: it is down; the change may have been "
        "made: look at the tag");
  CHECK(has(log.text(), R"("ann" created tag "new")"));
  service.store->on_info = nullptr;
  CHECK(service.good("POST", "tag?biz_tag=new&step=5")["step"] == 5);  // the client tries again
  int reads = 0;
  service.store->on_info = [&](std::string_view tag) {
    return ++reads == 1 ? service.store->memory().info(tag) : Result<TagInfo>(down);
  };
  CHECK(has(service.bad("PATCH", "tag?biz_tag=new&step=6"), "503 2 the tag was changed, but"));
  CHECK(service.store->memory().find("new")->step == 6);
}

TEST_CASE("what a store throws is the error of that call", "[tag_routes]") {
  const Service service;
  service.store->on_list = []() -> Result<std::vector<TagInfo>> {
    throw std::runtime_error("out of cheese");
  };
  CHECK(service.bad("GET", "tags") == "503 2 the store threw: out of cheese");
  service.store->on_list = nullptr;
  CHECK(service.ask("GET", "tags").status == 200);
}

TEST_CASE("administrators at once each get what the store says", "[tag_routes]") {
  const Service service;
  std::vector<std::thread> threads;
  std::vector<int> made(8);
  for (std::size_t i = 0; i < made.size(); ++i) {
    threads.emplace_back([&, i] {
      const std::string step = std::to_string(i % 2 + 1);
      made[i] = service.ask("POST", "tag?biz_tag=order&step=" + step).status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::size_t odd = service.store->memory().find("order")->step - 1;
  for (std::size_t i = 0; i < made.size(); ++i) CHECK(made[i] == (i % 2 == odd ? 200 : 409));
}

TEST_CASE("of the calls that come while the store hangs, few wait, and readers delay nobody",
          "[tag_routes]") {
  const Service service;
  REQUIRE(service.store->create("order", 10).ok());
  test::Gate gate;
  service.store->on_list = [&gate] {
    gate.wait();
    return Result<std::vector<TagInfo>>(std::vector<TagInfo>());
  };
  for (int i = 0; i < StoreCalls::kCallsMax; ++i) {
    CHECK(has(service.ask("GET", "tags", milliseconds(1)).body,
              R"("the store has not answered in time")"));
  }
  CHECK(has(service.bad("GET", "tags"), "503 2 too many calls are waiting; try again"));
  service.good("POST", "tag/advance?biz_tag=order&max_id=9000");
  service.store->on_advance = [&gate](std::string_view, std::int64_t) {
    gate.wait();
    return Status();
  };
  CHECK(has(service.ask("POST", "tag/advance?biz_tag=order&max_id=9001", milliseconds(1)).body,
            "the store has not answered in time; the change may still be made"));
  gate.open();
  CHECK(test::wait_until([&] { return service.ask("GET", "tags").status == 200; }));
}

TEST_CASE("by HTTP a tag gets periods when it is created", "[tag_routes][period]") {
  const Service service;
  CHECK(service.good("POST", "tag?biz_tag=plain")["period"].is_null());
  const json tag = service.good("POST", "tag?biz_tag=order&period=month&period_offset=-330");
  CHECK(tag["period"] == "month");
  CHECK(tag["period_offset"] == -330);
  CHECK(service.good("POST", "tag?biz_tag=order&period=month&period_offset=-330") == tag);
  CHECK(has(service.bad("POST", "tag?biz_tag=order&period=day"),
            "409 7 tag 'order' already exists, with period month with offset -330 instead of"));
  CHECK(service.good("PATCH", "tag?biz_tag=order&step=20")["period"] == "month");
  CHECK(has(service.bad("PATCH", "tag?biz_tag=order&period=day"), "400 "));
  CHECK(has(service.bad("POST", "tag?biz_tag=new&period=week"), "none, day, month or year"));
  CHECK(has(service.bad("POST", "tag?biz_tag=new&period=day&period_offset=900"), "period_offset"));
  CHECK(has(service.bad("POST", "tag?biz_tag=new&period=day&floor_rate=10"), "time floor"));
  CHECK(has(service.bad("POST", "tag?biz_tag=order@2026-11"), "reserved"));
}

TEST_CASE("by HTTP a tag gets a time floor, whose ids tell when they were leased",
          "[tag_routes][floor]") {
  const Service service;
  CHECK(service.good("POST", "tag?biz_tag=plain")["floor"].is_null());
  json tag = service.good("POST", "tag?biz_tag=order&floor_rate=1000&floor_lead_max=20");
  CHECK(tag["floor"]["rate"] == 1000);
  CHECK(tag["floor"]["epoch"] == 0);
  CHECK(tag["floor"]["lead_max"] == 20);
  CHECK(tag["floor"]["lead_only_warns"] == false);
  CHECK(tag["floor"]["since_id"] == 0);
  CHECK(tag["floor"]["lead_seconds"].is_number());
  CHECK(service.good("POST", "tag?biz_tag=order&floor_rate=1000&floor_lead_max=20") != json());
  CHECK(has(service.bad("POST", "tag?biz_tag=order&floor_rate=1000"),
            "409 7 tag 'order' already exists, with floor 1000 from 0, lead_max 20 instead of"));
  CHECK(has(service.bad("POST", "tag?biz_tag=new&floor_lead_max=5"), "requires a rate"));
  tag = service.good("PATCH", "tag?biz_tag=order&floor_rate=2000&floor_only_warns=yes");
  CHECK(tag["floor"]["rate"] == 2000);
  CHECK(tag["floor"]["lead_max"] == 20);
  CHECK(tag["floor"]["lead_only_warns"] == true);
  CHECK(service.good("GET", "tags")["tags"][0]["floor"]["rate"] == 2000);
  CHECK(has(service.bad("PATCH", "tag?biz_tag=order&floor_rate=1"), "400 "));
  CHECK(has(service.bad("PATCH", "tag?biz_tag=order&floor_rate=0"), "floor_rate must be a number"));
  CHECK(has(service.bad("PATCH", "tag?biz_tag=order&floor_only_warns=1"), "must be no or yes"));

  const IdRange range = *service.store->lease("order", 5);
  const std::string id = std::to_string(range.first);
  const json time = service.good("GET", "id/when?biz_tag=order&as=string&id=" + id);
  CHECK(time["biz_tag"] == "order");
  CHECK(time["id"] == id);
  CHECK(time["from"] == "1970-01-01T00:00:00.000Z");  // its lead only warns
  CHECK(time["until"].get<std::string>().substr(0, 2) == "20");
  CHECK(time["until"].get<std::string>().size() == 24);
  CHECK(has(service.bad("GET", "id/when?biz_tag=order&id=" + std::to_string(range.end)),
            "400 1 id " + std::to_string(range.end) + " has not been leased: tag 'order' is at"));
  CHECK(has(service.bad("GET", "id/when?biz_tag=order"), "id is missing"));
  CHECK(has(service.bad("GET", "id/when?biz_tag=nix&id=1"), "404 4 "));
  CHECK(service.store->lease("plain", 5).ok());
  CHECK(has(service.bad("GET", "id/when?biz_tag=plain&id=1"), "no time floor"));
}

}  // namespace featherid
