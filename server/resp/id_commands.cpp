// SPDX-License-Identifier: MIT
// The commands about tags and their ids.
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/call_store.h"
#include "server/api/take_ids.h"
#include "server/resp/resp_command.h"

namespace featherid {

namespace {

// Answers the last of the ids; or parks the command until they come; or fails.
void answer_last(RespCall& call, const WantedIds& wanted, const Status& missed) {
  TakenIds taken = take_ids(call.services.allocator, wanted, call.turn.wait, missed);
  if (taken.start_wait) return call.park(std::move(taken.start_wait));
  if (!taken.status.ok()) return call.fail(taken.status);
  call.reply().integer(taken.ids.ranges.back().last());
}

// As Redis reads a number: in one form only.
bool parse_integer(std::string_view text, std::int64_t* number) {
  const std::size_t first = text.substr(0, 1) == "-" ? 1 : 0;
  if (text.size() > 1 && text[first] == '0') return false;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *number);
  return !text.empty() && error == std::errc() && stop == end;
}

// How many of the tags exist.
Result<std::size_t> count_existing(TagAdmin& store, const std::vector<std::string>& tags) {
  std::size_t count = 0;
  for (const std::string& tag : tags) {
    const Result<TagInfo> info = call_store<TagInfo>([&] { return store.info(tag); });
    const StatusCode code = info.status().code();
    if (info.ok()) {
      ++count;
    } else if (code != StatusCode::kNotFound && code != StatusCode::kInvalidArgument) {
      return info.status();
    }
  }
  return count;
}

// The number of the tags in the arguments that exist, once the wait for that is over. Otherwise
// parks the command, or fails.
std::optional<std::int64_t> count_tags(RespCall& call) {
  const Wait& wait = call.turn.wait;
  if (wait.expired) {
    call.fail(RespResult::kTimeout, "the store has not answered in time");
    return std::nullopt;
  }
  if (wait.over && !wait.outcome.status.ok()) return call.fail(wait.outcome.status), std::nullopt;
  if (wait.over) return std::stoll(wait.outcome.data);
  std::vector<std::string> tags(call.arguments.begin() + 1, call.arguments.end());
  call.park([&services = call.services, tags = std::move(tags)](const Resume& resume) {
    const bool posted =
        services.calls.post(StoreCalls::Lane::kReads, [store = services.store, tags, resume] {
          const Result<std::size_t> count = count_existing(*store, tags);
          WaitOutcome outcome(count.status());
          if (count.ok()) outcome.data = std::to_string(*count);
          resume(outcome);
        });
    if (!posted) resume(Status(StatusCode::kUnavailable, "too many calls are waiting; try again"));
  });
  return std::nullopt;
}

}  // namespace

void resp_incr(RespCall& call) {
  Status missed;
  if (!call.turn.wait.over) {
    const Result<std::int64_t> id = call.services.allocator.try_next_id(call.arguments[1]);
    if (id.ok()) return call.reply().integer(*id);
    missed = id.status();
  }
  answer_last(call, {call.arguments[1]}, missed);
}

void resp_incrby(RespCall& call) {
  WantedIds wanted{call.arguments[1], 0, /*consecutive=*/true};
  if (!parse_integer(call.arguments[2], &wanted.count_ids)) {
    return call.fail(RespResult::kError, "value is not an integer or out of range");
  }
  if (wanted.count_ids < 1 || wanted.count_ids > kRangeIdsMax) {
    return call.fail(RespResult::kError, "the increment is the number of ids, from 1 to " +
                                             std::to_string(kRangeIdsMax) + "; ids never go back");
  }
  answer_last(call, wanted, {});
}

void resp_get(RespCall& call) {
  call.fail(RespResult::kError,
            "an id cannot be read, because returning it uses it up; INCR returns the next one");
}

void resp_exists(RespCall& call) {
  if (const auto count = count_tags(call)) call.reply().integer(*count);
}

void resp_type(RespCall& call) {
  if (const auto count = count_tags(call)) call.reply().simple(*count > 0 ? "string" : "none");
}

}  // namespace featherid
