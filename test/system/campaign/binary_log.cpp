// SPDX-License-Identifier: MIT
#include "test/system/campaign/binary_log.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/support/child_process.h"
#include "test/support/scratch_dir.h"

namespace featherid::campaign {

namespace {

// Reads the text of mariadb-binlog or mysqlbinlog, where an update is: "### UPDATE
// `ids`.`id_segments`", the row before under "### WHERE" and the row after under "### SET", "###
// @1='order'", "###   @2=1000".
class Reader {
 public:
  void read(const std::string& line) {
    if (line.compare(0, 4, "### ") != 0) return;
    const std::string text = line.substr(4);
    if (text.find('`') != std::string::npos) {
      in_update_ = text == "UPDATE `ids`.`id_segments`";
    } else if (text == "WHERE" || text == "SET") {
      after_ = text == "SET";
    } else if (in_update_ && text.compare(0, 6, "  @1='") == 0) {
      tag_ = text.substr(6, text.rfind('\'') - 6);
    } else if (in_update_ && text.compare(0, 5, "  @2=") == 0) {
      const long long max_id = std::stoll(text.substr(5));
      if (after_ && max_id != from_) moves_.push_back({tag_, from_, max_id});
      from_ = max_id;
    }
  }
  std::vector<Move> moves() && { return std::move(moves_); }

 private:
  bool in_update_ = false;
  bool after_ = false;
  std::string tag_;
  long long from_ = 0;
  std::vector<Move> moves_;
};

}  // namespace

std::vector<std::string> BinaryLog::flags(std::vector<std::string> more) const {
  more.insert(more.end(), {"--log-bin=" + path_, "--binlog-format=ROW", "--sync-binlog=1"});
  return more;
}

std::vector<Move> BinaryLog::moves() const {
  std::ifstream index(path_ + ".index");
  std::vector<std::string> argv = {reader_, "--no-defaults", "--verbose",
                                   "--base64-output=DECODE-ROWS"};
  for (std::string file; std::getline(index, file);) argv.push_back(file);
  const test::ScratchDir scratch;
  test::ChildProcess::Options options;
  options.output_file = scratch.file("text");
  test::run(argv, options);
  std::ifstream text(options.output_file);
  Reader reader;
  for (std::string line; std::getline(text, line);) reader.read(line);
  return std::move(reader).moves();
}

}  // namespace featherid::campaign
