// SPDX-License-Identifier: MIT
// The API's description against the routes, both ways.
#include "server/api/openapi.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "featherid/version.h"
#include "lib/segment/refill_policy.h"
#include "server/api/auth.h"
#include "server/api/id_routes.h"
#include "server/api/lease_routes.h"
#include "server/api/log_routes.h"
#include "server/api/tag_routes.h"
#include "server/console/status_routes.h"
#include "server/ops/ops_routes.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"
#include "test/support/route_client.h"

namespace featherid {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

// Every route of the server, on a store that answers leases with `answer`.
struct Service {
  explicit Service(StatusCode answer = StatusCode::kOk)
      : patience(is_transient({answer, ""}) ? milliseconds(500) : std::chrono::seconds(30)),
        allocator(store, options(patience)) {
    NewTag order(1000);
    order.max_id = 8000;
    REQUIRE(store->create("order", order).ok());
    NewTag clocked(1000);
    clocked.options.floor.rate = 1;
    REQUIRE(store->create("clocked", clocked).ok());
    REQUIRE(store->lease("clocked", 1).ok());
    if (answer != StatusCode::kOk) {
      store->on_lease = [answer](std::string_view, std::int64_t) {
        return Result<IdRange>(Status(answer, "the store's words"));
      };
      store->on_find = [this, answer](std::string_view tag) {
        return answer == StatusCode::kUnavailable ? Status(answer, "it is down")
                                                  : store->memory().find(tag);
      };
      store->on_advance = [this, answer](std::string_view tag, std::int64_t max_id) {
        return answer == StatusCode::kUnavailable ? Status(answer, "it is down")
                                                  : store->memory().advance(tag, max_id);
      };
      if (answer == StatusCode::kUnavailable) make_unavailable();
      store->on_probe = [answer] {
        return answer == StatusCode::kUnavailable ? Status(answer, "it is down") : Status();
      };
    }
    add_id_routes(router, {allocator, texts}, 1000);
    add_tag_routes(router, store, allocator, calls);
    add_lease_routes(router, leases, calls);
    add_log_routes(router);
    add_openapi_route(router);
    add_ops_routes(router, readiness, metrics, calls, [this] { return draining; });
    add_status_routes(router, {watch, readiness, *store, "memory", [this] { return draining; },
                               [](const Exchange&) { return true; }, recent_warnings});
  }
  ~Service() {
    watch.stop();
    calls.join();
  }

  void make_unavailable() const {
    const Status down(StatusCode::kUnavailable, "it is down");
    store->on_list = [down] { return Result<std::vector<TagInfo>>(down); };
    store->on_info = [down](std::string_view) { return Result<TagInfo>(down); };
    store->on_create = [down](std::string_view, const NewTag&) { return down; };
    store->on_identity = [down] { return Result<StoreIdentity>(down); };
  }

  static AllocatorOptions options(milliseconds patience) {
    AllocatorOptions options;
    options.wait_timeout = patience / 10;
    return options;
  }

  Reply ask(const std::string& method, const std::string& target, bool local = true) const {
    return test::ask(router, method, target, patience, local);
  }

  const milliseconds patience;  // short where the store's errors have to be waited for
  std::shared_ptr<test::FaultStore> store = std::make_shared<test::FaultStore>();
  SegmentAllocator allocator;
  StoreCalls calls;
  Leases leases{store, 1000000};
  TagTexts texts{store, calls, {}};
  Readiness readiness{store, allocator, calls};
  TagWatch watch{allocator, 10};
  Auth auth{{}, false};
  Metrics metrics{10, [] { return MetricsSnapshot(); }};
  bool draining = false;
  Router router{
      [this](Exchange& exchange, Effect effect) { return auth.permits(exchange, effect); },
      &auth.closed()};
};

// Follows a $ref, where there is one.
const json& resolve(const json& document, const json& node) {
  if (!node.contains("$ref")) return node;
  return document.at(json::json_pointer(node["$ref"].get<std::string>().substr(1)));
}

void check_refs(const json& document, const json& node) {
  if (node.is_object() && node.contains("$ref")) CHECK_NOTHROW(resolve(document, node));
  if (!node.is_structured()) return;
  for (const json& child : node) check_refs(document, child);
}

const json& document() {
  static const json parsed = json::parse(kOpenapi);
  return parsed;
}

// One method of a path, as it is described.
struct Described {
  std::string path;
  std::string method;
  json operation;
  json parameters;  // the path's and its own
};

std::vector<Described> described_operations() {
  std::vector<Described> all;
  for (const auto& [path, item] : document()["paths"].items()) {
    for (const auto& [key, value] : item.items()) {
      if (key == "parameters") continue;
      std::string method = key;
      std::transform(method.begin(), method.end(), method.begin(), ::toupper);
      json parameters = item.value("parameters", json::array());
      for (const json& own : value.value("parameters", json::array())) parameters.push_back(own);
      all.push_back({path, method, value, parameters});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("the description holds together", "[openapi]") {
  CHECK(document()["openapi"] == "3.1.0");
  CHECK(document()["info"]["version"] == FEATHERID_VERSION);
  check_refs(document(), document());
  std::set<std::string> operations;
  for (const Described& each : described_operations()) {
    CHECK(operations.insert(each.operation["operationId"]).second);
    CHECK(each.operation["responses"].contains("200"));
    CHECK(each.operation["responses"].contains("default"));
  }
}

TEST_CASE("every route is in the description, and the other way round", "[openapi]") {
  const Service service;
  std::set<std::string> described;
  for (const Described& each : described_operations()) {
    described.insert(each.method + " " + each.path);
  }
  std::set<std::string> served;
  for (const Route& route : service.router.routes()) {
    for (const Operation& operation : route.operations) {
      served.insert(std::string(operation.method) + " " + route.path);
    }
  }
  CHECK(served == described);
}

TEST_CASE("who may make a call is described, unless everyone may", "[openapi]") {
  const Service service;
  for (const Route& route : service.router.routes()) {
    for (const Operation& operation : route.operations) {
      std::string method(operation.method);
      CAPTURE(route.path, method);
      std::transform(method.begin(), method.end(), method.begin(), ::tolower);
      const json& described = document()["paths"][route.path][method];
      const bool changes = operation.effect == Effect::kChanges;
      const bool leases = operation.effect == Effect::kLeases;
      const bool open = operation.effect == Effect::kNone;
      CHECK(described["responses"].contains("401") != open);
      CHECK(described["responses"].contains("403") == (changes || leases));
      CHECK(described["responses"].contains("415") == (changes || leases));
      const json none = json::object();
      const char* const token = changes ? "adminToken" : leases ? "leaseToken" : "readToken";
      const json security = {none, {{token, json::array()}}};
      CHECK(described.value("security", json()) == (open ? json() : security));
    }
  }
}

TEST_CASE("the parameters that a route knows are those that are described", "[openapi]") {
  const Service service;
  for (const Route& route : service.router.routes()) {
    for (const Operation& operation : route.operations) {
      if (operation.parameters.empty()) continue;
      CAPTURE(route.path, operation.method);
      std::set<std::string> described;
      for (const Described& each : described_operations()) {
        if (each.path != route.path || each.method != operation.method) continue;
        for (const json& parameter : each.parameters) {
          described.insert(resolve(document(), parameter)["name"]);
        }
      }
      CHECK(described ==
            std::set<std::string>(operation.parameters.begin(), operation.parameters.end()));
    }
  }
}

namespace {

// A value for each parameter, with which a call succeeds.
std::string good_value(const Described& call, const std::string& parameter) {
  const bool creates = call.operation["operationId"] == "createTag";
  if (creates && parameter == "biz_tag") return "new";
  if (call.path == "/api/v1/id/when" && parameter == "biz_tag") return "clocked";
  if (call.path == "/api/v1/lease" && parameter == "period") return "";  // "order" has none
  static const std::map<std::string, std::string> values = {{"biz_tag", "order"},
                                                            {"confirm", "order"},
                                                            {"count", "1"},
                                                            {"as", "number"},
                                                            {"level", "info"},
                                                            {"allow_backward", "no"},
                                                            {"step", "500"},
                                                            {"cap", "12digits"},
                                                            {"owner", "ann"},
                                                            {"description", "a text"},
                                                            {"max_id", "8000"},
                                                            {"from", "8000"},
                                                            {"prefix", "o"},
                                                            {"after", "a"},
                                                            {"limit", "10"},
                                                            {"id", "1000"},
                                                            {"floor_rate", "1"},
                                                            {"floor_epoch", "1700000000"},
                                                            {"floor_lead_max", "20"},
                                                            {"floor_only_warns", "no"},
                                                            {"order", "strict"},
                                                            {"format", "A{id}"},
                                                            {"scramble", "63bits"},
                                                            {"text", "7"},
                                                            {"period", "none"},
                                                            {"period_offset", "0"},
                                                            {"by", "ann"},
                                                            {"once", "no"},
                                                            {"automatic", "no"},
                                                            {"least", "1"},
                                                            {"store", ""},
                                                            {"term", "0"},
                                                            {"nonce", "n"},
                                                            {"version", "0"},
                                                            {"first", "1"},
                                                            {"receipt", "of nobody"},
                                                            {"applied", "0"}};
  return values.at(parameter);
}

}  // namespace

TEST_CASE("every parameter that is described is read, and needed where it says so", "[openapi]") {
  for (const Described& described : described_operations()) {
    // Asks a new server with one parameter replaced, or left out.
    const auto status = [&](const std::string& but, const char* instead) {
      const Service service;
      std::string text = described.path + "?";
      for (const json& each : described.parameters) {
        const std::string name = resolve(document(), each)["name"];
        if (name == but && instead == nullptr) continue;
        text += name + "=" + (name == but ? instead : good_value(described, name)) + "&";
      }
      text.pop_back();
      return service.ask(described.method, text).status;
    };
    for (const json& each : described.parameters) {
      const json& parameter = resolve(document(), each);
      const std::string name = parameter["name"];
      CAPTURE(described.method, described.path, name);
      CHECK(status("", nullptr) == 200);
      CHECK(status(name, "%0a") == 400);
      // What else is said of a time floor requires its rate.
      const bool required = parameter.value("required", false) || name == "floor_rate";
      CHECK(status(name, nullptr) == (required ? 400 : 200));
    }
  }
}

TEST_CASE("every option that PATCH describes changes the tag when it is given alone", "[openapi]") {
  for (const Described& described : described_operations()) {
    if (described.operation["operationId"] != "changeTag") continue;
    for (const json& each : described.parameters) {
      const std::string name = resolve(document(), each)["name"];
      if (name == "biz_tag" || name == "as" || name == "by") continue;
      const bool of_floor = name.rfind("floor_", 0) == 0;
      if (of_floor && name != "floor_rate") continue;  // the others require a rate
      CAPTURE(name);
      const Service service;
      const auto option = [&] {
        return json::parse(service.ask("GET", "/api/v1/tag?biz_tag=order").body)["data"].at(
            of_floor ? "floor" : name);
      };
      const json before = option();
      const std::string call =
          "/api/v1/tag?biz_tag=order&" + name + "=" + good_value(described, name);
      CHECK(service.ask("PATCH", call).status == 200);
      CHECK(option() != before);
    }
  }
}

namespace {

std::set<std::string> members(const json& data) {
  std::set<std::string> names;
  if (!data.is_object()) return names;
  for (const auto& [name, value] : data.items()) names.insert(name);
  return names;
}

}  // namespace

TEST_CASE("every answer of the administration has the members of its example", "[openapi]") {
  for (const Described& described : described_operations()) {
    const json& content = described.operation["responses"]["200"]["content"];
    if (!content.contains("application/json") || described.path == "/openapi.json") continue;
    CAPTURE(described.method, described.path);
    const json& example = content["application/json"]["example"];
    CHECK(example["code"] == 0);
    CHECK(example["msg"] == "success");
    if (described.path.find("/api/v1/tag") != 0) continue;
    const Service service;
    std::string text = described.path + "?";
    for (const json& each : described.parameters) {
      const std::string name = resolve(document(), each)["name"];
      text += name + "=" + good_value(described, name) + "&";
    }
    const json data = json::parse(service.ask(described.method, text).body)["data"];
    CHECK(data.type() == example["data"].type());
    CHECK(members(data) == members(example["data"]));
    const json& tag = document()["components"]["schemas"]["Tag"]["properties"];
    if (data.contains("biz_tag")) CHECK(members(data) == members(tag));
    if (!data.contains("tags")) continue;
    CHECK(members(data["tags"].at(0)) == members(tag));
    CHECK(members(example["data"]["tags"].at(0)) == members(tag));
  }
}

TEST_CASE("the status has the members of its schema", "[openapi]") {
  Service service;
  REQUIRE(service.allocator.next_id("order").ok());
  const auto check = [](const json& data, const char* schema) {
    CAPTURE(schema);
    CHECK(members(data) == members(document()["components"]["schemas"][schema]["properties"]));
  };
  const auto ask = [&](const char* target) {
    return json::parse(service.ask("GET", target).body)["data"];
  };
  check(ask("/api/v1/status"), "ServerStatus");
  check(ask("/api/v1/status")["samples"], "Samples");
  check(ask("/api/v1/status/tags")[0], "TagStatus");
  check(ask("/api/v1/status/tag?biz_tag=order")["tag"], "TagStatus");
}

namespace {

// Asks for every status of the calls of processes that lease.
template <typename AskBy>
void ask_leases(StatusCode code, Service& service, AskBy ask_by) {
  const std::string other_store = "&store=another&term=1";
  for (const char* target : {"lease?", "lease/tag?biz_tag=order", "lease/changes?version=0"}) {
    const std::string path = std::string("/api/v1/") + target;
    ask_by("GET", service, path, true);
    ask_by("GET", service, path, false);
    if (code == StatusCode::kOk) ask_by("GET", service, path + other_store, true);
    ask_by("GET", service, path + "&term=x", true);
  }
  ask_by("GET", service, "/api/v1/lease/tag?biz_tag=none", true);
  for (const char* query : {"biz_tag=order&count=5", "biz_tag=none&count=5", "biz_tag=order"}) {
    ask_by("POST", service, std::string("/api/v1/lease?") + query, true);
  }
  ask_by("POST", service, "/api/v1/lease?biz_tag=order&count=5", false);
  const std::string give_back = "/api/v1/lease/give_back?biz_tag=order&first=8001&receipt=";
  ask_by("POST", service, give_back + "x", true);
  ask_by("POST", service, give_back + "x", false);
  ask_by("POST", service, give_back, true);
  if (code != StatusCode::kOk) return;
  for (const Result<StoreIdentity>& now :
       {Result<StoreIdentity>(Status(StatusCode::kUnavailable, "it is down")),
        Result<StoreIdentity>(StoreIdentity{"another", 1})}) {
    const Result<Leases::Leased> leased = service.leases.lease("order", 5, {});
    REQUIRE(leased.ok());
    service.store->on_identity = [now] { return now; };
    ask_by("POST", service,
           "/api/v1/lease/give_back?biz_tag=order&first=" + std::to_string(leased->range.first) +
               "&receipt=" + leased->receipt,
           true);
    service.store->on_identity = {};
  }
}

}  // namespace

TEST_CASE("every status that a route answers is described, and the other way round", "[openapi]") {
  std::map<std::string, std::set<std::string>> answered;  // by path and method
  const auto ask_by = [&](const std::string& method, Service& service, const std::string& target,
                          bool local = true) {
    const Reply reply = service.ask(method, target, local);
    const std::string path = target.substr(0, target.find('?'));
    const std::string status = std::to_string(reply.status);
    CAPTURE(method, target, reply.body);
    std::string member = method;
    std::transform(member.begin(), member.end(), member.begin(), ::tolower);
    const json& operation = document()["paths"][path][member];
    REQUIRE(operation["responses"].contains(status));
    const json& response = resolve(document(), operation["responses"][status]);
    CHECK(response["content"].contains(reply.content_type));
    for (const auto& [name, value] : reply.headers) {
      CAPTURE(name);
      CHECK((name == std::string("Deprecation") ? operation.value("deprecated", false)
                                                : response["headers"].contains(name)));
    }
    answered[method + path].insert(status);
  };
  const auto ask = [&](Service& service, const std::string& target, bool local = true) {
    ask_by("GET", service, target, local);
  };
  const std::vector<std::string> id_targets = {
      "/api/v1/id?biz_tag=", "/api/v1/id/batch?count=1&biz_tag=",
      "/api/v1/id/range?count=1&biz_tag="};
  for (const StatusCode code : {StatusCode::kOk, StatusCode::kExhausted, StatusCode::kUnavailable,
                                StatusCode::kDeadlineExceeded}) {
    Service service(code);
    if (code == StatusCode::kOk) REQUIRE(service.allocator.next_id("order").ok());
    for (const std::string& target : id_targets) {
      ask(service, target + "order");
      if (code == StatusCode::kOk) ask(service, target + "none");
      ask(service, target);
    }
    for (const char* target :
         {"/api/v1/id/parse?biz_tag=order&text=7", "/api/v1/id/parse?text=7",
          "/api/v1/id/parse?biz_tag=none&text=7", "/", "/healthz", "/readyz", "/metrics",
          "/openapi.json", "/api/v1/log/level", "/api/v1/log/level?level=x"}) {
      ask(service, target);
    }
    for (const char* target :
         {"status", "status/tags", "status/tag?biz_tag=order", "status/tag?biz_tag=none",
          "status?as=x", "status/tags?as=x", "status/tag?as=x"}) {
      ask(service, std::string("/api/v1/") + target);
    }
    ask_leases(code, service, ask_by);
    ask(service, "/api/v1/log/level?level=info", false);
    for (const char* target :
         {"/api/v1/tags", "/api/v1/tags?limit=0", "/api/v1/tag?biz_tag=order",
          "/api/v1/tag?biz_tag=none", "/api/v1/tag", "/api/v1/id/when?biz_tag=clocked&id=1000",
          "/api/v1/id/when?biz_tag=none&id=1000", "/api/v1/id/when"}) {
      ask(service, target);
    }
    ask_by("POST", service, "/api/v1/tag?biz_tag=new&step=5");
    ask_by("POST", service, "/api/v1/tag?biz_tag=new&step=6");
    ask_by("POST", service, "/api/v1/tag?biz_tag=");
    ask_by("POST", service, "/api/v1/tag?biz_tag=new&step=6", false);
    const Result<SegmentRow> order = service.store->memory().find("order");
    const std::string rewind = "/api/v1/tag/rewind?biz_tag=order&confirm=order&max_id=8000&from=" +
                               std::to_string(order.ok() ? order->max_id : 0);
    for (const std::string& target :
         {rewind, rewind + "&from=7", rewind.substr(0, 41),
          std::string("/api/v1/tag/rewind?biz_tag=no&confirm=no&max_id=1&from=2"),
          std::string("/api/v1/tag/rewind?biz_tag=order&confirm=order&max_id=1&from=7")}) {
      ask_by("POST", service, target);
    }
    ask_by("POST", service, rewind, false);
    for (const char* method : {"GET", "POST"}) {
      for (const char* target :
           {"biz_tag=order&max_id=9000", "biz_tag=none&max_id=9000", "biz_tag=order"}) {
        ask_by(method, service, std::string("/api/v1/tag/advance?") + target);
      }
      ask_by(method, service, "/api/v1/tag/advance?biz_tag=order&max_id=9000", false);
    }
    for (const char* method : {"PATCH", "DELETE"}) {
      const std::string step = method == std::string("PATCH") ? "&step=7" : "";
      for (const std::string& target : {"biz_tag=order" + step, "biz_tag=none" + step, step}) {
        ask_by(method, service, "/api/v1/tag?" + target);
      }
      ask_by(method, service, "/api/v1/tag?biz_tag=order" + step, false);
    }
    service.watch.stop();
    for (const char* target : {"status", "status/tags", "status/tag?biz_tag=order"}) {
      ask(service, std::string("/api/v1/") + target);
    }
    service.allocator.shutdown();
    for (const std::string& target : id_targets) ask(service, target + "order");
  }
  for (const Described& each : described_operations()) {
    for (const auto& [status, response] : each.operation["responses"].items()) {
      CAPTURE(each.method, each.path, status);
      // With a token configured 401 comes for 403 (auth_test); 415 for a body (router_test); a 503
      // for too many parked requests (http_test).
      if (status == "default" || status == "401" || status == "415" ||
          (each.path == "/metrics" && status == "503"))
        continue;
      CHECK(answered[each.method + each.path].count(status) == 1);
    }
  }
}

}  // namespace featherid
