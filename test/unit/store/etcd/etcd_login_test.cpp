// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_login.h"

#include <fstream>
#include <string>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

TEST_CASE("a login is that of its file, read each time, or the URL's own", "[etcd_login]") {
  const test::ScratchDir scratch;
  const std::string file = scratch.file("secret");
  const auto write = [&](const std::string& text) { std::ofstream(file) << text << "\n"; };
  CHECK(read_login(*parse_etcd_url("etcd://u:p@a/x"), "")->password == "p");
  CHECK(read_login(*parse_etcd_url("etcd://a/x"), "")->user.empty());
  const EtcdUrl with_file = *parse_etcd_url("etcd://u@a/x?password-file=" + file);
  CHECK(read_login(with_file, "").status().code() == StatusCode::kUnavailable);
  write("first");
  CHECK(read_login(with_file, "")->password == "first");
  write("second");
  CHECK(read_login(with_file, "")->password == "second");
  const EtcdUrl from_file = *parse_etcd_url("etcd://u:p@a,b/x");
  write("etcd://v:q@a,b/x");
  CHECK(read_login(from_file, file)->user == "v");
  CHECK(read_login(from_file, file)->password == "q");
  write("etcd://v:q@c/x");  // another place
  CHECK(read_login(from_file, file)->user == "u");
}

}  // namespace featherid
