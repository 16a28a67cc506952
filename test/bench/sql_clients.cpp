// SPDX-License-Identifier: MIT
// Sessions of a database, by its own client library and without waiting.
#include <libpq-fe.h>
#include <mysql.h>

#include <cstdlib>
#include <stdexcept>

#include "test/bench/remote_clients.h"

namespace featherid::bench {

namespace {

class PostgresqlClient : public RemoteClient {
 public:
  PostgresqlClient(const std::string& url, const std::string& statement)
      : session_(::PQconnectdb(url.c_str()), ::PQfinish) {
    if (::PQstatus(session_.get()) != CONNECTION_OK) fail();
    // A killed server's last words are expected.
    ::PQsetNoticeProcessor(
        session_.get(), [](void*, const char*) {}, nullptr);
    const Answer prepared(::PQprepare(session_.get(), "next", statement.c_str(), 0, nullptr),
                          ::PQclear);
    if (::PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) fail();
  }

  int socket() const override { return ::PQsocket(session_.get()); }

  bool ask() override {
    id_ = kRefused;
    if (::PQsendQueryPrepared(session_.get(), "next", 0, nullptr, nullptr, nullptr, 0) != 1) fail();
    return false;
  }

  std::optional<std::int64_t> answer() override {
    if (::PQconsumeInput(session_.get()) != 1) fail();
    while (::PQisBusy(session_.get()) == 0) {
      const Answer answer(::PQgetResult(session_.get()), ::PQclear);
      if (!answer) return id_;  // all of it has come
      if (::PQresultStatus(answer.get()) == PGRES_TUPLES_OK) {
        id_ = std::strtoll(::PQgetvalue(answer.get(), 0, 0), nullptr, 10);
      } else if (::PQstatus(session_.get()) != CONNECTION_OK) {
        fail();
      }
    }
    return std::nullopt;
  }

 private:
  using Answer = std::unique_ptr<PGresult, void (*)(PGresult*)>;

  [[noreturn]] void fail() const { throw std::runtime_error(::PQerrorMessage(session_.get())); }

  const std::unique_ptr<PGconn, void (*)(PGconn*)> session_;
  std::int64_t id_ = kRefused;
};

class MariadbClient : public RemoteClient {
 public:
  MariadbClient(int port, const std::string& user, const std::string& password,
                std::string statement)
      : session_(::mysql_init(nullptr), ::mysql_close), statement_(std::move(statement)) {
    const unsigned seconds = 5;
    ::mysql_options(session_.get(), MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    ::mysql_options(session_.get(), MYSQL_OPT_NONBLOCK, nullptr);
    if (::mysql_real_connect(session_.get(), "127.0.0.1", user.c_str(), password.c_str(), "ids",
                             static_cast<unsigned>(port), nullptr, 0) == nullptr) {
      fail();
    }
  }

  int socket() const override { return static_cast<int>(::mysql_get_socket(session_.get())); }

  bool ask() override {
    stage_ = Stage::kQuery;
    waits_for_ =
        ::mysql_real_query_start(&error_, session_.get(), statement_.data(), statement_.size());
    return waits_for_ == 0;
  }

  std::optional<std::int64_t> answer() override {
    if (stage_ == Stage::kQuery) {
      if (waits_for_ != 0) {
        waits_for_ = ::mysql_real_query_cont(&error_, session_.get(), MYSQL_WAIT_READ);
      }
      if (waits_for_ != 0) return std::nullopt;
      if (error_ != 0) return refused();
      stage_ = Stage::kRows;
      waits_for_ = ::mysql_store_result_start(&rows_, session_.get());
    } else {
      waits_for_ = ::mysql_store_result_cont(&rows_, session_.get(), MYSQL_WAIT_READ);
    }
    if (waits_for_ != 0) return std::nullopt;
    const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> rows(rows_, ::mysql_free_result);
    if (!rows) return refused();
    const MYSQL_ROW row = ::mysql_fetch_row(rows.get());
    return row == nullptr ? kRefused : std::strtoll(row[0], nullptr, 10);
  }

 private:
  enum class Stage { kQuery, kRows };

  [[noreturn]] void fail() const { throw std::runtime_error(::mysql_error(session_.get())); }

  // Throws if the error is the client's own (2000 and up), so that the connection is of no use.
  std::int64_t refused() const {
    if (::mysql_errno(session_.get()) >= 2000 && ::mysql_errno(session_.get()) < 3000) fail();
    return kRefused;
  }

  const std::unique_ptr<MYSQL, void (*)(MYSQL*)> session_;
  const std::string statement_;
  Stage stage_ = Stage::kQuery;
  int waits_for_ = 0;
  int error_ = 0;
  MYSQL_RES* rows_ = nullptr;
};

}  // namespace

std::unique_ptr<RemoteClient> connect_postgresql(const std::string& url,
                                                 const std::string& statement) {
  return std::make_unique<PostgresqlClient>(url, statement);
}

std::unique_ptr<RemoteClient> connect_mariadb(int port, const std::string& user,
                                              const std::string& password,
                                              const std::string& statement) {
  return std::make_unique<MariadbClient>(port, user, password, statement);
}

}  // namespace featherid::bench
