// SPDX-License-Identifier: MIT
#ifndef FEATHERID_ETCD_STORE_H_
#define FEATHERID_ETCD_STORE_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/log.h"
#include "featherid/tag_admin.h"

namespace featherid {

// How open_etcd_store() reaches its cluster.
struct EtcdStoreOptions {
  // The time limit of every call, whatever the cluster and the network do. A call that reaches it
  // ends with kUnavailable. 100 ms to 60 s.
  std::chrono::milliseconds call_timeout{5000};

  // How long one member may take to accept a connection and to answer on it that it is healthy.
  // After that, the call tries the next member. 10 ms to call_timeout.
  std::chrono::milliseconds connect_timeout{1000};

  // The file that the URL was read from, if any. User and password are read from it again before
  // each login, so they can be changed without a restart. If anything else in the URL differs from
  // the first reading, the last login stays.
  std::string database_file;

  // The clock of this process, for tests. It decides whether the cluster's clock is too far ahead
  // to follow, for tags with a time floor or periods. Empty: the clock of the system.
  WallClock clock;

  // Receives messages for an operator: a member fails, or works again. It is called from any thread
  // that uses the store, and must not call the store. May be empty.
  LogCallback log;
};

// Opens a store in an etcd cluster, version 3.4 or later, over its JSON gateway:
//   etcd://a:2379,b:2379,c:2379/featherid                 the members, and the prefix of all keys
//   etcds://user:password@a:2379,b:2379/featherid?ca=FILE    over TLS, with a login
// Options of the URL: ca (the certificates of the authorities, PEM; default: the system's), cert
// and key (the client's own certificate), password-file. Percent-escapes in user, password, prefix
// and values are decoded. Members: 1 to 16; a port of 2379 may be left out.
//
// kInvalidArgument: the URL or an option is malformed, or a file cannot be read. The call opens no
// connection. No message contains the password.
//
// Safety. A lease is one transaction: if the tag's key still has the revision that this process
// read, the transaction writes the key; else it reads the key, so that a lost race costs one round
// trip. A transaction whose answer did not arrive is never sent again; its ids become a gap.
// kDataLoss: another cluster answers, or its revision went back, or the keys were written by
// another cluster, as after a restored snapshot. A process that starts after a restore into a
// cluster with the same id cannot notice the restore: docs/operating/etcd.md says what the operator
// must do.
//
// Members. Each store begins with a random member, and uses it until it fails. A member that has
// failed is tried last for 5 s. A call that only reads goes to the next member at once. So does a
// lease that was not sent.
//
// Time floors and periods follow the clocks of the members, which their answers give to within a
// second.
//
// Thread-safe. fork(): the child's copy returns kFailedPrecondition; open a new store in the child.
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_etcd_store(
    std::string_view url, const EtcdStoreOptions& options = {});

// Creates these if they are missing: the name of the store, the record of the cluster, and the tags
// `user`, `order` and `health` (step 1000). Tags that were removed are not created. `tags_made`,
// unless null, receives the tags that this call made, in order. Errors: as a store's.
FEATHERID_EXPORT Status init_etcd_store(std::string_view url, const EtcdStoreOptions& options = {},
                                        std::vector<std::string>* tags_made = nullptr);

// The URL with its password replaced by "***", for logs; text that is not such a URL becomes "***".
FEATHERID_EXPORT std::string redact_etcd_url(std::string_view url);

}  // namespace featherid

#endif  // FEATHERID_ETCD_STORE_H_
