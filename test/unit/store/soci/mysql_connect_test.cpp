// SPDX-License-Identifier: MIT
#include "lib/store/soci/mysql_connect.h"

#include <string>

#include "test/support/catch.h"
#include "test/support/ports.h"

namespace featherid {

TEST_CASE("a missing server gives the driver's error with its number", "[mysql_connect]") {
  const std::string port = std::to_string(test::free_port());
  for (const std::string host :
       {"127.0.0.1", "localhost", "%2Fno%2Fsocket", "a%3Bhost=127.0.0.1"}) {
    soci::session session;
    const DatabaseUrl url = *parse_database_url("mysql://u:p%27@" + host + ":" + port + "/d");
    CAPTURE(host);
    EngineError error;
    try {
      open_mysql(session, url, std::chrono::seconds(1), std::chrono::seconds(1));
    } catch (const soci::soci_error& thrown) {
      error = to_engine_error(Engine::kMysql, thrown, true);
    }
    CHECK(error.number >= 2002);  // no socket, no connection, no such host
    CHECK(error.number <= 2005);
  }
}

}  // namespace featherid
