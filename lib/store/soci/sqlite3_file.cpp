// SPDX-License-Identifier: MIT
#include "lib/store/soci/sqlite3_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace featherid {

namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // the kernel's own limit

Status refused(const std::string& path, const std::string& why) {
  return {StatusCode::kFailedPrecondition, "sqlite3 file " + path + ": " + why};
}

Status cannot_open(const std::string& path, const std::string& cause) {
  return refused(
      path, "the file cannot be opened; its folder must exist and be writable (" + cause + ")");
}

// Kernels before 5.8 do not report it in statx().
bool is_mount(const std::string& path, const struct statx& info) {
  if ((info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
  std::ifstream mounts("/proc/self/mountinfo");
  return is_mount_point(std::string(std::istreambuf_iterator<char>(mounts), {}), path);
}

// What is wrong with the database or its journal; empty: nothing, or it is not there yet.
std::string fault_of(const std::string& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &info) != 0) {
    if (errno == ENOENT) return "";
    return "cannot be examined (" + std::system_category().message(errno) + ")";
  }
  if (S_ISLNK(info.stx_mode)) {
    return "is a symbolic link; stop every process, and replace it with the file that it leads to";
  }
  if (!S_ISREG(info.stx_mode)) return "is not a regular file; name another, or remove it";
  const std::string danger = ", so a crash can repeat ids that were handed out; ";
  if (info.stx_nlink > 1) {
    return "has " + std::to_string(info.stx_nlink) + " hard links, each with a journal of its own" +
           danger + "remove the other links";
  }
  if (is_mount(path, info)) {
    return "is mounted alone, without the folder that has its journal" + danger +
           "mount the folder instead";
  }
  return "";
}

// mountinfo writes blank, tab, newline and backslash as a backslash and three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const bool escape = text.front() == '\\' && text.size() >= 4;
    plain += escape ? static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0')
                    : text.front();
    text.remove_prefix(escape ? 4 : 1);
  }
  return plain;
}

}  // namespace

Result<std::string> kernel_path(const std::string& path) {
  fs::path at = path;
  std::error_code error;
  for (int links = 0; links < kLinksMax; ++links) {
    if (fs::path file = fs::canonical(at, error); !error) return file.string();
    // There is no such file. It would be created in this folder, or where a symbolic link leads.
    const fs::path folder = fs::canonical(at.parent_path(), error);
    if (error) break;
    if (!fs::is_directory(folder, error)) {
      error = std::make_error_code(std::errc::not_a_directory);
      break;
    }
    fs::path file = folder / at.filename();
    const fs::path target = fs::read_symlink(file, error);
    if (error) return file.string();
    at = folder / target;
  }
  return cannot_open(path, error ? error.message() : "too many symbolic links");
}

Status check_sqlite3_file(const std::string& path) {
  const Result<std::string> file = kernel_path(path);
  if (!file.ok()) return file.status();
  if (const std::string fault = fault_of(*file); !fault.empty()) {
    return refused(path, "the file cannot be used: " + *file + " " + fault);
  }
  const std::string journal = *file + "-journal";
  if (const std::string fault = fault_of(journal); !fault.empty()) {
    return refused(path, "its journal cannot be used: " + journal + " " + fault);
  }
  return {};
}

std::string file_system_risk(std::uint32_t magic) {
  struct FileSystem {
    std::uint32_t magic;
    const char* name;
  };
  static constexpr FileSystem kShared[] = {
      {0x00006969, "NFS"},      {0x0000517B, "SMB"},        {0xFF534D42, "CIFS"},
      {0xFE534D42, "SMB"},      {0x01021997, "9p"},         {0x65735546, "FUSE"},
      {0x00C36400, "Ceph"},     {0x0BD00BD0, "Lustre"},     {0x01161970, "GFS2"},
      {0x7461636F, "OCFS2"},    {0x5346414F, "AFS"},        {0x6B414653, "AFS"},
      {0x73757245, "Coda"},     {0x0000564C, "NCP"},        {0x47504653, "GPFS"},
      {0x19830326, "BeeGFS"},   {0xAAD7AAEA, "PanFS"},      {0x786F4256, "vboxsf"},
      {0xBACBACBC, "VMware's"}, {0x7C7C6673, "Parallels'"}, {0x61636673, "ACFS"},
      {0xBEEFDEAD, "SNFS"},     {0x013111A8, "IBRIX"},
  };
  static constexpr FileSystem kShortLived[] = {
      {0x01021994, "tmpfs: it is lost when the machine restarts"},
      {0x858458F6, "ramfs: it is lost when the machine restarts"},
      {0x794C7630, "overlayfs: in a container it is lost with the container"},
  };
  for (const FileSystem& shared : kShared) {
    if (magic != shared.magic) continue;
    return std::string("the file is on a ") + shared.name +
           " file system, whose locks and syncs may not hold between machines, so ids could be "
           "issued twice; use a local disk, or a database server";
  }
  for (const FileSystem& short_lived : kShortLived) {
    if (magic != short_lived.magic) continue;
    return std::string("the file is on ") + short_lived.name +
           ", and then ids begin at 1 again; use a folder that lasts";
  }
  return "";
}

std::string file_system_risk(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return "";
  return file_system_risk(static_cast<std::uint32_t>(info.f_type));
}

bool is_mount_point(std::string_view mountinfo, std::string_view path) {
  while (!mountinfo.empty()) {
    const std::size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
    std::string_view line = mountinfo.substr(0, end);
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
    constexpr int kFieldsBefore = 4;  // id, parent, device, root
    for (int field = 0; field < kFieldsBefore; ++field) {
      line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    }
    if (unescape(line.substr(0, line.find(' '))) == path) return true;
  }
  return false;
}

}  // namespace featherid
