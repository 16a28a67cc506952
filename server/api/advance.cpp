// SPDX-License-Identifier: MIT
#include "server/api/advance.h"

#include <charconv>

namespace featherid {

namespace {

Result<std::int64_t> parse_max_id(const std::string& text) {
  std::int64_t max_id = -1;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, max_id);
  if (error == std::errc() && stop == end && max_id >= 0 && max_id <= kIdMax) return max_id;
  return Status(StatusCode::kInvalidArgument,
                "max_id must be a number from 0 to " + std::to_string(kIdMax));
}

}  // namespace

const char* const kBackwardWarning =
    "ids that were already issued will be issued again, and running processes will stop the tag "
    "(with the failover guard, all their tags); restart every process";

Result<Advance> parse_advance(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos) {
    return Status(StatusCode::kInvalidArgument, "'" + text + "' is not TAG=ID, such as order=5000");
  }
  const std::string tag = text.substr(0, equals);
  if (Status bad = validate_tag(tag); !bad.ok()) return bad;
  const Result<std::int64_t> max_id = parse_max_id(text.substr(equals + 1));
  if (!max_id.ok()) return max_id.status();
  return Advance{tag, *max_id, false, "featherid-server --advance"};
}

Result<std::int64_t> run_advance(Store& store, const Advance& advance, const char* allowing_word) {
  const Result<TagInfo> row = store.info(advance.tag);  // also of a period
  if (!row.ok()) return row.status();
  const std::int64_t before = row->max_id;
  if (before <= advance.max_id) {
    if (Status status = store.advance(advance.tag, advance.max_id, advance.by); !status.ok()) {
      return status;
    }
    return before;
  }
  if (!advance.allow_backward) {
    return Status(StatusCode::kInvalidArgument,
                  "tag '" + advance.tag + "' is at " + std::to_string(before) + ", already past " +
                      std::to_string(advance.max_id) + "; to move it backward, add " +
                      allowing_word + ", but then " + kBackwardWarning);
  }
  const Result<bool> moved = store.rewind(advance.tag, before, advance.max_id, advance.by);
  if (!moved.ok()) return moved.status();
  if (*moved) return before;
  return Status(StatusCode::kUnavailable, "a process leased from tag '" + advance.tag +
                                              "' in the meantime; stop every process first");
}

}  // namespace featherid
