// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_RESP_REPLY_WRITER_H_
#define FEATHERID_SERVER_RESP_REPLY_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace featherid {

// The versions of Redis's protocol. A client begins with 2 and chooses by HELLO.
enum class RespVersion { k2 = 2, k3 = 3 };

// Appends values in Redis's protocol. Version 2 lacks some types: a map is an array of keys and
// values there, a set an array, text a bulk string.
class ReplyWriter {
 public:
  ReplyWriter(RespVersion version, std::string* out) : version_(version), out_(*out) {}

  void simple(std::string_view text);  // without line ends: "OK"
  // The text begins with a word in capitals, its kind. Line ends become spaces.
  void error(std::string_view kind, std::string_view message);
  void integer(std::int64_t number);
  void bulk(std::string_view bytes);
  void text(std::string_view lines);  // for people to read
  void null();
  void null_array();

  // So many values follow.
  void array(std::size_t count);
  void set(std::size_t count);
  void map(std::size_t pairs);

  RespVersion version() const { return version_; }

 private:
  void head(char type, std::int64_t number);

  const RespVersion version_;
  std::string& out_;
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_RESP_REPLY_WRITER_H_
