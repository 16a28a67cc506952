// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_TXN_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_TXN_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/status.h"

namespace featherid {

// A key as it was read.
struct EtcdKey {
  std::string key;
  std::string value;
  std::int64_t revision = 0;  // of its last change
};

// The keys from `first` up to but not including `end`, in the order of their bytes.
struct EtcdRange {
  std::string first;
  std::string end;
  std::int64_t count_max = 0;  // 0: all
  bool keys_only = false;
};
// All keys that begin with `prefix`, which is not empty.
EtcdRange with_prefix(const std::string& prefix);

// One transaction: if all conditions hold it writes, else it reads. Without conditions and writes
// it only reads. What it writes it reads back, so that its answer is not that of another call.
class EtcdTxn {
 public:
  // The key still has that revision; 0: it does not exist.
  EtcdTxn& if_unchanged(const std::string& key, std::int64_t revision);
  EtcdTxn& if_value(const std::string& key, const std::string& value);
  EtcdTxn& put(const std::string& key, const std::string& value);
  EtcdTxn& remove(const std::string& key);
  EtcdTxn& read(const std::string& key);  // if it does not write
  EtcdTxn& read(const EtcdRange& range);

  bool writes() const { return !success_.empty(); }
  // The body of the call.
  std::string body() const;

  // What an answer of etcd says. Nothing else than such an answer is accepted.
  struct Answer {
    bool succeeded = false;
    std::string cluster;        // its id
    std::int64_t revision = 0;  // of the cluster; if it has written: of this transaction
    std::vector<std::vector<EtcdKey>> reads;
  };
  // kFailedPrecondition: it is no answer to this transaction.
  Result<Answer> read_answer(const std::string& body) const;

 private:
  using Json = nlohmann::json;
  Answer answer_of(const Json& body) const;
  void check_written(const Json& responses, std::int64_t revision) const;

  Json compare_ = Json::array();
  Json success_ = Json::array();
  Json read_back_ = Json::array();  // the keys of success_
  Json failure_ = Json::array();
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_TXN_H_
