// SPDX-License-Identifier: MIT
#include "lib/store/soci/postgresql_refusal.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <memory>

namespace featherid {

std::string sqlstate_in(const std::string& message) {
  // "…FATAL:  28P01", the first word in any language.
  constexpr std::size_t kCodeSize = 5;
  const std::size_t last = message.find_last_not_of('\n');
  if (last == std::string::npos || last + 1 < kCodeSize + 3) return "";
  const std::size_t begin = last + 1 - kCodeSize;
  if (message.compare(begin - 3, 3, ":  ") != 0) return "";
  std::string code = message.substr(begin, kCodeSize);
  const bool is_code = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  });
  return is_code ? code : "";
}

std::string postgresql_refusal(const std::string& conninfo, TimePoint deadline) {
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectStart(conninfo.c_str()),
                                                              PQfinish);
  if (connection == nullptr || PQstatus(connection.get()) == CONNECTION_BAD) return "";
  PQsetErrorVerbosity(connection.get(), PQERRORS_SQLSTATE);
  for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;
       step = PQconnectPoll(connection.get())) {
    if (step == PGRES_POLLING_FAILED) {
      // The server asked for a password that the client does not have.
      if (PQconnectionNeedsPassword(connection.get()) != 0) return "28P01";
      return sqlstate_in(PQerrorMessage(connection.get()));
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd poll_fd{PQsocket(connection.get()),
                   static_cast<short>(step == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (left.count() <= 0 || ::poll(&poll_fd, 1, static_cast<int>(left.count())) <= 0) return "";
  }
  return "";
}

}  // namespace featherid
