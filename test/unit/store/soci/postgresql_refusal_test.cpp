// SPDX-License-Identifier: MIT
#include "lib/store/soci/postgresql_refusal.h"

#include "test/support/catch.h"

using featherid::sqlstate_in;

TEST_CASE("the SQLSTATE of a refusal is read in any language", "[postgresql_refusal]") {
  CHECK(sqlstate_in("FATAL:  28P01\n") == "28P01");
  CHECK(sqlstate_in("connection to server at \"::1\", port 5432 failed: FATAL:  3D000\n") ==
        "3D000");
  CHECK(sqlstate_in("Verbindung fehlgeschlagen: FEHLER:  53300") == "53300");
}

TEST_CASE("a message that no server sent has no SQLSTATE", "[postgresql_refusal]") {
  for (const char* text :
       {"", "\n", "28P01", ":  28P0", ":  28p01", "failed: Connection refused\n",
        "could not translate host name: no  ERROR", "server closed the connection unexpectedly"}) {
    INFO(text);
    CHECK(sqlstate_in(text).empty());
  }
}
