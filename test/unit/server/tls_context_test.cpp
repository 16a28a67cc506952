// SPDX-License-Identifier: MIT
#include "server/net/tls_context.h"

#include <chrono>
#include <fstream>
#include <string>

#include "test/support/authority.h"
#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a certificate ends with the first certificate of its chain", "[tls_context]") {
  using std::chrono::seconds;
  CHECK(certificate_end(nullptr) == seconds(0));

  test::Authority authority;
  const auto issued = authority.issue("IP:127.0.0.1");
  const auto end = [&issued] {
    return certificate_end(load_tls_context(issued.cert_file, issued.key_file).value());
  };
  CHECK(end() == seconds(2524607999));  // 2049-12-31 23:59:59 UTC

  std::ofstream(issued.cert_file, std::ios::app) << std::ifstream(authority.ca_file()).rdbuf();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  CHECK(end() > now + std::chrono::hours(47));
  CHECK(end() <= now + std::chrono::hours(48));
}

}  // namespace featherid
