// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_CONTEXT_H_
#define FEATHERID_CLI_CONTEXT_H_

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/server_client.h"
#include "featherid/tag_admin.h"
#include "server/config/config.h"

namespace featherid {

// Where the program reads and writes.
struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool colours = false;  // `out` is a terminal
  bool asks = false;     // a person can answer at `in`
  bool watched = false;  // `err` is a terminal
};

// What a command works with.
class Context {
 public:
  // `token`: for the server, if no file holds it.
  Context(Config config, std::string token, bool json, const Console& console);

  const Config& config() const { return config_; }
  Output& out() { return out_; }

  // OK if the settings name a database, and no server. `command` requires that.
  Status require_database(const char* command) const;
  // The store that the settings name. Opened at the first use, after --wait-for-database. Fails if
  // it is a local file that does not exist: only `init` creates one.
  Result<Store*> store();
  // The server that --server names. Null: none is named.
  Result<ServerClient*> server();
  // Whichever the settings name.
  Result<TagAdmin*> tags();
  // Takes ids from it. From a database they are leased exactly, so that nothing is left over.
  Result<PeriodRanges> take(const std::string& tag, std::int64_t count_ids);
  // Where they come from, without passwords.
  std::string source() const;
  // Who the records of tags say it was: the user of this machine.
  std::string person() const;

  // OK if the person means it: `yes`, or they type the tag's name again. `what`: a sentence that
  // says what will happen.
  Status confirm(const std::string& tag, const std::string& what, bool yes);

  // Shows a person how much is done: 0 to 1.
  void progress(double done);

  // A line for the person, on standard error.
  void warn(const std::string& text);

 private:
  const Config config_;
  const std::string token_;
  const Console console_;
  Output out_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ServerClient> server_;
};

}  // namespace featherid

#endif  // FEATHERID_CLI_CONTEXT_H_
