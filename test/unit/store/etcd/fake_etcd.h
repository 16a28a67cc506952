// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_UNIT_STORE_ETCD_FAKE_ETCD_H_
#define FEATHERID_TEST_UNIT_STORE_ETCD_FAKE_ETCD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "lib/store/etcd/base64.h"
#include "test/support/patient_etcd.h"
#include "test/support/scripted_server.h"

namespace featherid::test {

// A member of etcd in this process: transactions on keys in memory, and the faults that a test
// sets.
class FakeEtcd {
 public:
  using Json = nlohmann::json;

  struct Key {
    std::string value;
    std::int64_t revision = 0;
  };
  // All that a member knows. A test may copy it, and put it back as a restored snapshot does.
  struct Data {
    std::map<std::string, Key> keys;
    std::int64_t revision = 1;
    std::string cluster = "101";
  };

  std::string url(const std::string& prefix = "x") const {
    return "etcd://127.0.0.1:" + std::to_string(server_.port()) + "/" + prefix;
  }
  int port() const { return server_.port(); }
  std::size_t requests() const { return server_.requests().size(); }
  int writes() {  // transactions that write, ever
    const std::lock_guard<std::mutex> lock(mutex_);
    return writes_;
  }

  // Calls `body(data)` while no transaction runs.
  template <typename Body>
  auto with(Body body) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return body(data_);
  }
  void put(const std::string& key, const std::string& value) {
    with([&](Data& data) { data.keys[key] = {value, ++data.revision}; });
  }
  std::string get(const std::string& key) {
    return with([&](Data& data) { return data.keys[key].value; });
  }

  // Called before (else after) the next transaction that writes is done. An answer other than ""
  // is sent instead; "close": none is, and the connection ends.
  enum class When { kBefore, kAfter };
  using Fault = std::function<std::string(Data& data)>;
  void on_next_write(When when, Fault fault) {
    const std::lock_guard<std::mutex> lock(mutex_);
    when_ = when;
    fault_ = std::move(fault);
  }
  // The token that calls must have; empty: none.
  void require_token(const std::string& token) {
    const std::lock_guard<std::mutex> lock(mutex_);
    token_ = token;
  }
  void set_healthy(bool healthy) { set_health(healthy ? 200 : 503); }
  void set_health(int status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    health_ = status;
  }

  // What a proxy in between makes of each answer to a transaction.
  using Proxy = std::function<std::string(const std::string& answer)>;
  void set_proxy(Proxy proxy) {
    const std::lock_guard<std::mutex> lock(mutex_);
    proxy_ = std::move(proxy);
  }
  // The proxy sends the next transaction that writes twice, and passes the second answer on.
  void repeat_next_write() {
    const std::lock_guard<std::mutex> lock(mutex_);
    repeats_ = true;
  }

  // What calls other than transactions and logins get, by path, as JSON or text; else 404.
  void set_answer(const std::string& path, const std::string& body) {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_[path] = body;
  }

  static std::string answer(int status, const std::string& body,
                            const std::string& date = "Mon, 30 Nov 2026 05:45:49 GMT") {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Type: application/json\r\nDate: " + date +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string refusal(int status, int code, const std::string& words) {
    return answer(status, Json{{"error", words}, {"message", words}, {"code", code}}.dump());
  }

 private:
  std::string serve(const std::string& request) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (request.rfind("GET /health ", 0) == 0) {
      return answer(health_, health_ == 200 ? R"({"health":"true"})" : R"({"health":"false"})");
    }
    const std::size_t at = request.find(' ') + 1;
    const std::string path = request.substr(at, request.find(' ', at) - at);
    if (path != "/v3/kv/txn" && path != "/v3/auth/authenticate") {
      const auto found = answers_.find(path);
      return found == answers_.end() ? answer(404, "{}") : answer(200, found->second);
    }
    const Json asked = Json::parse(request.substr(request.find("\r\n\r\n") + 4));
    if (path == "/v3/auth/authenticate") {
      if (asked.at("password") != "right") {
        return refusal(400, 3, "etcdserver: authentication failed, invalid user ID or password");
      }
      return answer(200, Json{{"header", header()}, {"token", token_}}.dump());
    }
    if (!token_.empty() &&
        request.find("\r\nAuthorization: " + token_ + "\r\n") == std::string::npos) {
      return refusal(401, 16, "etcdserver: invalid auth token");
    }
    const std::string answer = run_with_faults(asked);
    return proxy_ ? proxy_(answer) : answer;
  }

  std::string run_with_faults(const Json& asked) {
    const bool writes = asked.contains("compare");
    writes_ += writes ? 1 : 0;
    const Fault fault = writes ? std::exchange(fault_, {}) : Fault();
    std::string instead;
    if (fault && when_ == When::kBefore) instead = fault(data_);
    if (!instead.empty()) return instead == "close" ? "" : instead;
    if (writes && std::exchange(repeats_, false)) run(asked);
    const std::string body = run(asked).dump();
    if (fault && when_ == When::kAfter) instead = fault(data_);
    return instead.empty() ? answer(200, body) : instead == "close" ? "" : instead;
  }

  Json header() const {
    return {{"cluster_id", data_.cluster},
            {"member_id", "1"},
            {"revision", std::to_string(data_.revision)},
            {"raft_term", "2"}};
  }

  static std::string bytes(const Json& object, const char* name) {
    return *base64_decode(object.value(name, std::string()));
  }

  bool holds(const Json& compare) {
    const auto found = data_.keys.find(bytes(compare, "key"));
    const Key key = found != data_.keys.end() ? found->second : Key();
    if (compare.at("target") == "VALUE") {
      return found != data_.keys.end() && key.value == bytes(compare, "value");
    }
    return std::to_string(key.revision) == compare.at("mod_revision");
  }

  Json range(const Json& asked) {
    const std::string first = bytes(asked, "key");
    const std::string end = asked.contains("range_end") ? bytes(asked, "range_end") : first + '\0';
    Json keys = Json::array();
    for (auto each = data_.keys.lower_bound(first); each != data_.keys.end() && each->first < end;
         ++each) {
      keys.push_back({{"key", base64_encode(each->first)},
                      {"value", base64_encode(each->second.value)},
                      {"mod_revision", std::to_string(each->second.revision)}});
    }
    return {{"kvs", keys}};
  }

  Json run(const Json& asked) {
    bool succeeded = true;
    for (const Json& compare : asked.value("compare", Json::array())) {
      succeeded = succeeded && holds(compare);
    }
    const Json todo = asked.value(succeeded ? "success" : "failure", Json::array());
    const bool writes = !todo.empty() && !todo.front().contains("request_range");
    if (writes) ++data_.revision;
    Json responses = Json::array();
    for (const Json& one : todo) {
      if (one.contains("request_put")) {
        const Json& put = one.at("request_put");
        data_.keys[bytes(put, "key")] = {bytes(put, "value"), data_.revision};
        responses.push_back(
            {{"response_put", {{"header", {{"revision", std::to_string(data_.revision)}}}}}});
      } else if (one.contains("request_delete_range")) {
        data_.keys.erase(bytes(one.at("request_delete_range"), "key"));
        responses.push_back({{"response_delete_range", {{"deleted", "1"}}}});
      } else {
        responses.push_back({{"response_range", range(one.at("request_range"))}});
      }
    }
    Json body = {{"header", header()}, {"responses", responses}};
    if (succeeded) body["succeeded"] = true;
    return body;
  }

  std::mutex mutex_;
  Data data_;
  When when_ = When::kBefore;
  Fault fault_;
  std::string token_;
  std::map<std::string, std::string> answers_;
  Proxy proxy_;
  bool repeats_ = false;
  int health_ = 200;  // the status of that call
  int writes_ = 0;
  ScriptedServer server_{[this](const std::string& request) { return serve(request); }};
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_UNIT_STORE_ETCD_FAKE_ETCD_H_
