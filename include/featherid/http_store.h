// SPDX-License-Identifier: MIT
#ifndef FEATHERID_HTTP_STORE_H_
#define FEATHERID_HTTP_STORE_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/log.h"
#include "featherid/tag_admin.h"

namespace featherid {

// How open_http_store() reaches its servers.
struct HttpStoreOptions {
  // The bearer token. Its role must be `lease` or, to change tags too, `admin`. Empty: no token.
  // That suffices for a server on this machine that has no token with the role `admin`.
  std::string token;

  // A file that holds the token instead, as its first line that is neither empty nor begins with
  // '#'. It is read again whenever a connection opens, so the token can be changed without a
  // restart.
  std::string token_file;

  // Certificates (PEM) of the authorities that may sign the certificates of https servers. Empty:
  // those of the system.
  std::string ca_file;

  // The time limit of every call, whatever the servers and the network do. A call that reaches it
  // ends with kUnavailable. 100 ms to 60 s. A server answers within its own request-timeout.
  std::chrono::milliseconds call_timeout{5000};

  // How long one server may take to accept a connection and to answer on it. After that, the call
  // tries the next server. 10 ms to call_timeout.
  std::chrono::milliseconds connect_timeout{1000};

  // Receives messages for an operator: a server fails, or works again. It is called from any thread
  // that uses the store, and must not call the store. May be empty.
  LogCallback log;
};

// Opens a store that leases from featherid-servers: "http://a:8080", or several servers of one
// database with commas or blanks between them, up to 16. So an application without access to the
// database hands out ids at memory speed, and a server can run on other servers.
//
// kInvalidArgument: an address or an option is wrong, or a file cannot be read. The call opens no
// connection.
//
// Servers. Each store begins with a random one, and uses it until it fails. A server fails if it
// cannot be reached, does not answer, or says that it cannot serve. For 5 s it is then tried last.
// A call that only reads tries the next server at once. So does a lease, unless it was sent and got
// no answer: then the call is kUnavailable, and may have cost a gap. A call that changes something
// is sent once. Connections are kept and used again. If a connection ends with a request under way,
// that request is not sent again.
//
// One store. Servers name their store with each answer, and the call names the store that this
// process knows. kDataLoss: a server has another store, or an older state of it. Make all servers
// use the same database, and restart the process.
//
// give_back() requires that this object made the lease, and that the server which leased still
// runs: it sends the receipt that came with the lease, once. Otherwise it returns false, and the
// ids become a gap. It also returns false if the ids are of several leases that came from different
// servers. The last 8 leases of a tag can be given back.
//
// Time floors follow the clock of the servers' database, and SegmentRow::read_at is by that clock.
// If the servers run on SQLite, that is the clock of their own machine. The clock of this process
// is not used.
//
// Thread-safe. fork(): the child's copy returns kFailedPrecondition; open a new store in the child.
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_http_store(
    std::string_view addresses, const HttpStoreOptions& options = {});
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_http_store(
    const std::vector<std::string>& addresses, const HttpStoreOptions& options = {});

}  // namespace featherid

#endif  // FEATHERID_HTTP_STORE_H_
