// SPDX-License-Identifier: MIT
#include "lib/base/secret_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

using featherid::read_secret_file;
using featherid::Status;
using featherid::StatusCode;

namespace {

struct Folder : featherid::test::ScratchDir {
  std::string write(const std::string& text) const {
    std::ofstream(file("secret"), std::ios::binary) << text;
    return file("secret");
  }
};

}  // namespace

TEST_CASE("a secret is the text of its file without the newline at its end", "[secret_file]") {
  const Folder folder;
  CHECK(*read_secret_file(folder.write("s3cret")) == "s3cret");
  CHECK(*read_secret_file(folder.write("s3cret\n")) == "s3cret");
  CHECK(*read_secret_file(folder.write("s3cret\r\n")) == "s3cret");
  CHECK(*read_secret_file(folder.write(" s3 cret ")) == " s3 cret ");
  CHECK(*read_secret_file(folder.write("a\nb\n"), /*several_lines=*/true) == "a\nb");
  CHECK(*read_secret_file(folder.write(std::string(65536, 'x'))) == std::string(65536, 'x'));
}

TEST_CASE("a file that cannot be a secret fails differently from one that is being written",
          "[secret_file]") {
  const Folder folder;
  const auto check = [](const Status& status, StatusCode code, const char* words) {
    INFO(status);
    CHECK(status.code() == code);
    CHECK(status.message().find(words) != std::string::npos);
  };
  const auto status_of = [&](const std::string& text) {
    return read_secret_file(folder.write(text)).status();
  };
  check(read_secret_file(folder.file("none")).status(), StatusCode::kUnavailable, "No such file");
  CHECK(status_of("").code() == StatusCode::kUnavailable);
  CHECK(status_of("\n").code() == StatusCode::kUnavailable);
  CHECK(status_of("a\nb").code() == StatusCode::kFailedPrecondition);
  CHECK(status_of(std::string("a\0b", 3)).code() == StatusCode::kFailedPrecondition);
  CHECK(status_of(std::string(65537, 'x')).message().find("larger than 64 KiB") !=
        std::string::npos);
  check(read_secret_file(folder.path().string()).status(), StatusCode::kFailedPrecondition,
        "not a regular file");
  REQUIRE(::mkfifo(folder.file("fifo").c_str(), 0600) == 0);
  check(read_secret_file(folder.file("fifo")).status(), StatusCode::kFailedPrecondition,
        "not a regular file");
  if (::geteuid() == 0) return;  // root may read all files
  ::chmod(folder.write("x").c_str(), 0);
  check(read_secret_file(folder.file("secret")).status(), StatusCode::kFailedPrecondition,
        "this user may read it");
}
