// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_txn.h"

#include <charconv>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "lib/store/etcd/base64.h"

namespace featherid {

namespace {

using Json = nlohmann::json;

// Thrown for what etcd would not say.
struct NotEtcd : std::runtime_error {
  NotEtcd() : std::runtime_error("not an answer of etcd") {}
};

// 64-bit numbers are texts. One that is 0 is left out.
std::int64_t number_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return 0;
  if (found->is_number_integer()) return found->get<std::int64_t>();
  const auto text = found->get<std::string>();
  const char* const end = text.data() + text.size();
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) throw NotEtcd();
  return number;
}

std::string bytes_at(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  std::optional<std::string> bytes = base64_decode(found->get<std::string>());
  if (!bytes) throw NotEtcd();
  return *std::move(bytes);
}

std::vector<EtcdKey> keys_of(const Json& range) {
  std::vector<EtcdKey> keys;
  const auto found = range.find("kvs");
  if (found == range.end()) return keys;
  for (const Json& each : *found) {
    keys.push_back(
        {bytes_at(each, "key"), bytes_at(each, "value"), number_at(each, "mod_revision")});
    if (keys.back().key.empty() || keys.back().revision <= 0) throw NotEtcd();
  }
  return keys;
}

}  // namespace

EtcdRange with_prefix(const std::string& prefix) {
  EtcdRange range;
  range.first = range.end = prefix;
  while (static_cast<unsigned char>(range.end.back()) == 0xFF) range.end.pop_back();
  range.end.back() = static_cast<char>(static_cast<unsigned char>(range.end.back()) + 1);
  return range;
}

EtcdTxn& EtcdTxn::if_unchanged(const std::string& key, std::int64_t revision) {
  compare_.push_back({{"key", base64_encode(key)},
                      {"target", "MOD"},
                      {"result", "EQUAL"},
                      {"mod_revision", std::to_string(revision)}});
  return *this;
}

EtcdTxn& EtcdTxn::if_value(const std::string& key, const std::string& value) {
  compare_.push_back({{"key", base64_encode(key)},
                      {"target", "VALUE"},
                      {"result", "EQUAL"},
                      {"value", base64_encode(value)}});
  return *this;
}

EtcdTxn& EtcdTxn::put(const std::string& key, const std::string& value) {
  success_.push_back(
      {{"request_put", {{"key", base64_encode(key)}, {"value", base64_encode(value)}}}});
  read_back_.push_back({{"request_range", {{"key", base64_encode(key)}}}});
  return *this;
}

EtcdTxn& EtcdTxn::remove(const std::string& key) {
  success_.push_back({{"request_delete_range", {{"key", base64_encode(key)}}}});
  return *this;
}

EtcdTxn& EtcdTxn::read(const std::string& key) {
  failure_.push_back({{"request_range", {{"key", base64_encode(key)}}}});
  return *this;
}

EtcdTxn& EtcdTxn::read(const EtcdRange& range) {
  Json asked = {{"key", base64_encode(range.first)}, {"range_end", base64_encode(range.end)}};
  if (range.count_max > 0) asked["limit"] = std::to_string(range.count_max);
  if (range.keys_only) asked["keys_only"] = true;
  failure_.push_back({{"request_range", std::move(asked)}});
  return *this;
}

// A transaction without conditions always succeeds. So one that only reads has its reads there.
std::string EtcdTxn::body() const {
  if (!writes()) return Json{{"success", failure_}}.dump();
  Json success = success_;
  success.insert(success.end(), read_back_.begin(), read_back_.end());
  return Json{{"compare", compare_}, {"success", success}, {"failure", failure_}}.dump();
}

// Checks that everything was written, by this transaction.
void EtcdTxn::check_written(const Json& responses, std::int64_t revision) const {
  if (responses.size() != success_.size() + read_back_.size()) throw NotEtcd();
  std::size_t read = success_.size();
  for (std::size_t i = 0; i < success_.size(); ++i) {
    if (!success_[i].contains("request_put")) {
      static_cast<void>(responses[i].at("response_delete_range"));
      continue;
    }
    static_cast<void>(responses[i].at("response_put"));
    const Json& put = success_[i].at("request_put");
    const std::vector<EtcdKey> keys = keys_of(responses[read++].at("response_range"));
    const bool own = keys.size() == 1 && keys[0].key == bytes_at(put, "key") &&
                     keys[0].value == bytes_at(put, "value") && keys[0].revision == revision;
    if (!own) throw NotEtcd();
  }
}

EtcdTxn::Answer EtcdTxn::answer_of(const Json& body) const {
  Answer answer;
  const Json& header = body.at("header");
  answer.cluster = header.at("cluster_id").get<std::string>();
  answer.revision = number_at(header, "revision");
  if (answer.cluster.empty() || answer.revision <= 0) throw NotEtcd();
  answer.succeeded = body.value("succeeded", false);
  if (!writes() && !answer.succeeded) throw NotEtcd();
  const Json responses = body.value("responses", Json::array());
  if (writes() && answer.succeeded) return check_written(responses, answer.revision), answer;
  if (responses.size() != failure_.size()) throw NotEtcd();
  for (const Json& response : responses) {
    answer.reads.push_back(keys_of(response.at("response_range")));
  }
  return answer;
}

Result<EtcdTxn::Answer> EtcdTxn::read_answer(const std::string& body) const {
  try {
    return answer_of(Json::parse(body));
  } catch (const Json::exception&) {
  } catch (const NotEtcd&) {
  }
  return Status(StatusCode::kFailedPrecondition,
                "the answer is not one of etcd's JSON gateway; check the address, and what is in "
                "between");
}

}  // namespace featherid
