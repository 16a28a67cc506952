// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_CLUSTER_REPORT_H_
#define FEATHERID_LIB_STORE_ETCD_CLUSTER_REPORT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/etcd_store.h"

namespace featherid {

// What a member of the URL says of itself. Numbers are 0, and texts empty, if it does not say.
struct EtcdMemberReport {
  std::string url;
  Status answers;  // if not OK, it has said nothing
  std::string id;
  std::string cluster;  // its id
  std::string version;  // "3.4.23"
  std::string leader;   // the id of the member that leads, as this one knows it
  bool learner = false;
  std::int64_t size_bytes = 0;   // of its database
  std::int64_t quota_bytes = 0;  // no value is written if the database is larger
  // How often it has synced its log to the disk; nothing if it does not say.
  std::optional<std::int64_t> syncs;
  // Its clock is at least this far ahead of this process's; negative: behind.
  std::chrono::seconds ahead{0};
};

struct EtcdClusterReport {
  struct Listed {
    std::string id;
    std::string name;
    bool learner = false;
  };
  std::vector<EtcdMemberReport> members;  // those of the URL
  std::vector<Listed> listed;             // those of the cluster; empty if nobody says
  std::vector<std::string> alarms;        // "NOSPACE of member ID"
  std::optional<bool> open_to_all;        // whether keys can be read without a login
  bool has_login = false;                 // the URL has one
  bool has_certificate = false;           // likewise
};

// Asks every member. Needs no login, and changes nothing. Blocks for a few calls of each, in turn.
// kInvalidArgument: the URL cannot be used. Exported for the command `featherid`.
FEATHERID_EXPORT Result<EtcdClusterReport> read_cluster_report(std::string_view url,
                                                               const EtcdStoreOptions& options);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_CLUSTER_REPORT_H_
