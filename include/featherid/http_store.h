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
  // The bearer token, whose role must be `lease` or, to change tags too, `admin`. Empty: none,
  // which suffices for a server on this machine without tokens of administrators.
  std::string token;

  // A file that holds the token instead, as its first line that is neither empty nor begins with
  // '#'. It is read again whenever a connection opens, so the token can be changed without a
  // restart.
  std::string token_file;

  // The certificates of the authorities that may have signed that of an https server (PEM). Empty:
  // the system's.
  std::string ca_file;

  // The time limit of every call, whatever the servers and the network do. A call that reaches it
  // ends with kUnavailable. 100 ms to 60 s. A server answers within its own request-timeout.
  std::chrono::milliseconds call_timeout{5000};

  // How long one server may take to accept a connection and to answer on it, before the call turns
  // to the next one. 10 ms to call_timeout.
  std::chrono::milliseconds connect_timeout{1000};

  // Receives what an operator should know: a server that fails, and one that works again. Called
  // from any thread that uses the store; it must not call the store. May be empty.
  LogCallback log;
};

// Opens a store that leases from featherid-servers: "http://a:8080", or several servers of one
// database with commas or blanks between them, up to 16. An application hands out ids at memory
// speed that way without access to the database, and a server can run on other servers.
//
// kInvalidArgument: an address or an option is wrong, or a file cannot be read. The call opens no
// connection.
//
// Servers. Each store begins with one of them at random, and uses it until it fails: if it cannot
// be reached, does not answer, or says that it cannot serve. It then comes last for 5 s. A call
// that reads goes to the next server at once. So does a lease, unless it was sent and not answered:
// such a call is kUnavailable, and may have cost a gap. A call that changes something is sent once.
// Nothing is repeated below that: the connections are kept and used again, and none is opened again
// with a request under way.
//
// One store. Servers name their store with each answer, and the call names the store that this
// process knows. kDataLoss: a server has another store, or an older one. Restart the process when
// its servers have the same database.
//
// give_back() requires that this object made the lease, and that the server which leased still
// runs: it sends the receipt that came with the lease, once. Otherwise it returns false, and the
// ids become a gap. The same if they are of several leases and these are of several servers. Of one
// tag, the last 8 leases can be given back.
//
// Time floors follow the clock of the servers' database, and SegmentRow::read_at is by that clock.
// Servers on SQLite have no other clock than their own machine's. This process's clock is not used.
//
// Thread-safe. fork(): the child's copy returns kFailedPrecondition; open a new store in the child.
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_http_store(
    std::string_view addresses, const HttpStoreOptions& options = {});
FEATHERID_EXPORT Result<std::unique_ptr<Store>> open_http_store(
    const std::vector<std::string>& addresses, const HttpStoreOptions& options = {});

}  // namespace featherid

#endif  // FEATHERID_HTTP_STORE_H_
