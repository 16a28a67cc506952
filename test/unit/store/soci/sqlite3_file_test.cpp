// SPDX-License-Identifier: MIT
#include "lib/store/soci/sqlite3_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "test/support/catch.h"
#include "test/support/scratch_dir.h"

namespace featherid {

namespace fs = std::filesystem;

namespace {

struct Fixture {
  std::string at(const std::string& name) const { return folder + "/" + name; }
  std::string made(const std::string& name) const {
    std::ofstream(at(name)) << "x";
    return at(name);
  }

  const test::ScratchDir scratch;
  const std::string folder = fs::canonical(scratch.path()).string();
};

// (Tests with the store and with mounts: test/system/integration/sqlite3_path_test.cpp.)
void check_refused(const std::string& path, const std::string& word) {
  const Status status = check_sqlite3_file(path);
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK_THAT(status.message(), Contains(path) && Contains(word));
}

}  // namespace

TEST_CASE("a path resolves as open() resolves it, through links and to missing files",
          "[sqlite3_file]") {
  const Fixture f;
  fs::create_directories(f.at("real/sub"));
  fs::create_symlink("real/sub", f.at("link"));
  fs::create_symlink("link/made.db", f.at("dangling"));
  fs::create_symlink(f.at("dangling"), f.at("to-dangling"));
  CHECK(kernel_path(f.at("new.db")).value() == f.at("new.db"));
  CHECK(kernel_path(f.at("./link/../new.db")).value() == f.at("real/new.db"));
  CHECK(kernel_path(f.at("to-dangling")).value() == f.at("real/sub/made.db"));
  const std::string made = f.made("real/sub/made.db");
  CHECK(kernel_path(f.at("to-dangling")).value() == made);
}

TEST_CASE("a path at which open() would create no file is refused with the cause",
          "[sqlite3_file]") {
  const Fixture f;
  const std::string file = f.made("file");
  fs::create_symlink("loop", f.at("loop"));
  for (const std::string& path :
       {f.at("none/ids.db"), f.at("none/../ids.db"), file + "/", file + "/ids.db",
        file + "/../ids.db", f.at("new/"), f.at("loop"), std::string()}) {
    const Status status = kernel_path(path).status();
    CHECK(status.code() == StatusCode::kFailedPrecondition);
    CHECK_THAT(status.message(), Contains("file " + path + ": the file cannot be opened"));
  }
}

TEST_CASE("a plain file with a plain journal is fit, and so is a missing one", "[sqlite3_file]") {
  const Fixture f;
  CHECK(check_sqlite3_file(f.at("new.db")).ok());
  CHECK(check_sqlite3_file(f.made("ids.db")).ok());
  const std::string journal = f.made("ids.db-journal");
  CHECK(check_sqlite3_file(f.at("ids.db")).ok());
  fs::create_symlink("ids.db", f.at("link.db"));
  CHECK(check_sqlite3_file(f.at("link.db")).ok());
}

TEST_CASE("a file with two names is unfit until one is removed, and so is no regular file",
          "[sqlite3_file]") {
  const Fixture f;
  const std::string file = f.made("ids.db");
  fs::create_symlink("ids.db", f.at("link.db"));
  for (const std::string& linked : {file, f.made("ids.db-journal")}) {
    fs::create_hard_link(linked, f.at("second"));
    check_refused(file, linked + " has 2 hard links");
    check_refused(f.at("link.db"), "remove the other links");
    fs::remove(f.at("second"));
    CHECK(check_sqlite3_file(file).ok());
  }
  fs::remove(f.at("ids.db-journal"));
  fs::create_symlink("nowhere", f.at("ids.db-journal"));
  check_refused(file, "symbolic link");
  check_refused(f.folder, "is not a regular file");
  check_refused("/dev/null", "is not a regular file");
  REQUIRE(::mkfifo(f.at("fifo").c_str(), 0600) == 0);
  check_refused(f.at("fifo"), "is not a regular file");
}

TEST_CASE("a mount point is found by the path as the kernel writes it", "[sqlite3_file]") {
  const std::string mountinfo =
      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
      "40 27 254:0 /srv/ids.db /data/ids.db rw - ext4 /dev/vda rw\n"
      "41 27 254:0 /x /a\\040b\\134040\\011\\012.db rw - ext4 /dev/vda rw\n"
      "42 27 254:0 /last /tail";
  for (const char* path : {"/", "/proc", "/data/ids.db", "/a b\\040\t\n.db", "/tail"}) {
    CHECK(is_mount_point(mountinfo, path));
  }
  for (const char* path :
       {"", "/srv/ids.db", "/data", "/data/ids.d", "/data/ids.db2", "/a", "rw"}) {
    CHECK_FALSE(is_mount_point(mountinfo, path));
  }
  CHECK_FALSE(is_mount_point("", "/data"));
  CHECK_FALSE(is_mount_point("\n1\n1 2 3 4\n\\", "/data"));
}

TEST_CASE("file systems that several machines share, or that do not last, are reported",
          "[sqlite3_file]") {
  CHECK_THAT(file_system_risk(0x6969), Contains("NFS") && Contains("local disk"));
  CHECK_THAT(file_system_risk(0xFF534D42), Contains("CIFS"));
  CHECK_THAT(file_system_risk(0x65735546), Contains("FUSE"));
  CHECK_THAT(file_system_risk(0x01021994), Contains("tmpfs") && Contains("begin at 1 again"));
  CHECK_THAT(file_system_risk(0x794C7630), Contains("container"));
  for (const std::uint32_t local : {0xEF53U, 0x58465342U, 0x9123683EU, 0x2FC12FC1U, 0U}) {
    CHECK(file_system_risk(local).empty());  // ext4, XFS, Btrfs, ZFS
  }
  const Fixture f;
  CHECK_THAT(file_system_risk("/dev/shm"), Contains("tmpfs"));
  CHECK(file_system_risk(f.at("none")).empty());
}

}  // namespace featherid
