// SPDX-License-Identifier: MIT
#include "server/resp/reply_writer.h"

#include <charconv>

namespace featherid {

// Grows the output only once.
void ReplyWriter::head(char type, std::int64_t number) {
  char text[24];
  text[0] = type;
  char* end = std::to_chars(text + 1, text + sizeof text - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out_.append(text, static_cast<std::size_t>(end - text));
}

void ReplyWriter::simple(std::string_view text) { out_.append("+").append(text).append("\r\n"); }

void ReplyWriter::error(std::string_view kind, std::string_view message) {
  out_.append("-").append(kind).append(" ");
  for (const char c : message) out_.push_back(c == '\r' || c == '\n' ? ' ' : c);
  out_.append("\r\n");
}

void ReplyWriter::integer(std::int64_t number) { head(':', number); }

void ReplyWriter::bulk(std::string_view bytes) {
  head('$', static_cast<std::int64_t>(bytes.size()));
  out_.append(bytes).append("\r\n");
}

void ReplyWriter::text(std::string_view lines) {
  constexpr std::string_view kFormat = "txt:";
  if (version_ == RespVersion::k2) return bulk(lines);
  head('=', static_cast<std::int64_t>(kFormat.size() + lines.size()));
  out_.append(kFormat).append(lines).append("\r\n");
}

void ReplyWriter::null() { out_.append(version_ == RespVersion::k2 ? "$-1\r\n" : "_\r\n"); }

void ReplyWriter::null_array() { out_.append(version_ == RespVersion::k2 ? "*-1\r\n" : "_\r\n"); }

void ReplyWriter::array(std::size_t count) { head('*', static_cast<std::int64_t>(count)); }

void ReplyWriter::set(std::size_t count) {
  head(version_ == RespVersion::k2 ? '*' : '~', static_cast<std::int64_t>(count));
}

void ReplyWriter::map(std::size_t pairs) {
  const auto count = static_cast<std::int64_t>(pairs);
  version_ == RespVersion::k2 ? head('*', 2 * count) : head('%', count);
}

}  // namespace featherid
