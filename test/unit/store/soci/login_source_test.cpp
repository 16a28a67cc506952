// SPDX-License-Identifier: MIT
#include "lib/store/soci/login_source.h"

#include <fstream>
#include <string>
#include <utility>

#include "featherid/soci_store.h"
#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

using namespace featherid;

namespace {

struct Folder : test::ScratchDir {
  std::string write(const std::string& text) const {
    std::ofstream(file("file")) << text;
    return file("file");
  }
};

using Words = std::pair<std::string, std::string>;

Words read(LoginSource& source) {
  const Result<LoginSource::Login> login = source.read();
  INFO(login.status());
  REQUIRE(login.ok());
  return {login->user, login->password};
}

}  // namespace

TEST_CASE("a login without a file is the URL's", "[login_source]") {
  LoginSource source(*parse_database_url("mysql://u:p@h/d"), "", 0);
  CHECK(read(source) == Words("u", "p"));
  CHECK(source.risk().empty());
}

TEST_CASE("a password file is read each time", "[login_source]") {
  const Folder folder;
  LoginSource source(*parse_database_url("mysql://u@h/d?password-file=" + folder.file("file")), "",
                     0);
  CHECK(source.read().status().code() == StatusCode::kUnavailable);
  for (const char* password : {"one", "two%41", "p@ss:w/d"}) {
    folder.write(std::string(password) + "\n");
    CHECK(read(source) == Words("u", password));
  }
}

TEST_CASE("a database file gives the login of its URL each time", "[login_source]") {
  const Folder folder;
  const std::string file = folder.write("mysql://u:p@a/d mysql://u:p@b/d\n");
  LoginSource second(*parse_database_url("mysql://u:p@b/d"), file, 1);
  CHECK(read(second) == Words("u", "p"));
  folder.write("mysql://v:q@a/d\nmariadb://v:r%41@b/d\n");
  CHECK(read(second) == Words("v", "rA"));
  // Another address counts from the next start on, and so does a file with fewer addresses.
  for (const char* text :
       {"mysql://u:p@a/d mysql://w:x@c/d", "mysql://u:p@a/d mysql://w:x@b:1/d",
        "mysql://u:p@a/d mysql://w:x@b/e", "mysql://u:p@a/d postgresql://w:x@b/d",
        "mysql://u:p@a/d mysql://w:x@b/d?table=t", "mysql://w:x@a/d", "mysql://u:p@a/d nonsense"}) {
    INFO(text);
    folder.write(text);
    CHECK(read(second) == Words("v", "rA"));
  }
  folder.write("");
  CHECK(second.read().status().code() == StatusCode::kUnavailable);
}

TEST_CASE("a database file holds URLs separated by blanks, or a SQLite file's URL",
          "[login_source]") {
  const Folder folder;
  CHECK(*read_database_file(folder.write("mysql://a/d\n  mysql://b/d\n\n")) ==
        std::vector<std::string>{"mysql://a/d", "mysql://b/d"});
  CHECK(*read_database_file(folder.write("sqlite3:a b.db\n")) ==
        std::vector<std::string>{"sqlite3:a b.db"});
  CHECK(read_database_file(folder.write("")).status().code() == StatusCode::kInvalidArgument);
  CHECK(read_database_file(folder.file("none")).status().code() == StatusCode::kInvalidArgument);
}
