// SPDX-License-Identifier: MIT
#include "server/api/tag_routes.h"

#include <spdlog/spdlog.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/call_store.h"
#include "lib/store/period_rules.h"
#include "lib/store/store_arguments.h"
#include "server/api/advance.h"
#include "server/api/parameters.h"
#include "server/api/status_reply.h"
#include "server/api/tag_json.h"
#include "server/log/json.h"
#include "server/store/cap.h"
#include "server/store/order.h"

namespace featherid {

namespace {

constexpr std::int64_t kStepByDefault = 1000;
constexpr std::int64_t kPageTagsMax = 1000;
constexpr std::int64_t kPageTagsByDefault = 100;
// POST replaced GET on 2026-11-29; GET stays until 0.3. In the form of RFC 9745.
constexpr const char* kGetDeprecated = "@1795910400";

// Who calls, for the log.
struct Caller {
  std::string who;
  std::string log_tag;  // the end of a line

  std::string name() const { return json_string(who); }
};

// How a call is answered.
struct AnswerForm {
  bool quoted = false;
  bool once = false;  // it fails if it finds done what it should do, perhaps by this client before
};

// The parameters of calls about tags.
class TagParameters : public Parameters {
 public:
  using Parameters::Parameters;

  // Who the record says it was. A program that acts for somebody may give a name. The log has the
  // one of the token.
  std::string by(const Caller& caller) {
    const std::optional<std::string> given = text("by");
    if (given) keep(check_text("by", *given));
    return given.value_or(caller.who);
  }
  bool once() { return is_second("once", "no", "yes"); }
  std::optional<std::int64_t> cap() {
    const std::optional<std::string> given = text("cap");
    if (!given) return std::nullopt;
    const Result<std::int64_t> cap = parse_cap(*given);
    if (cap.ok()) return *cap;
    keep(cap.status());
    return std::nullopt;
  }
  std::optional<TagOrder> order() {
    const std::optional<std::string> given = text("order");
    if (!given) return std::nullopt;
    const Result<TagOrder> order = parse_order(*given);
    if (order.ok()) return *order;
    keep(order.status());
    return std::nullopt;
  }
  PeriodRule period() {
    const Result<PeriodKind> kind = parse_period_kind(text("period").value_or("none"));
    keep(kind.status());
    const auto offset =
        number("period_offset", -kPeriodOffsetMinutesMax, kPeriodOffsetMinutesMax).value_or(0);
    return {kind.ok() ? *kind : PeriodKind::kNone, static_cast<int>(offset)};
  }
  // What is given of a time floor.
  TimeFloorChange floor() {
    TimeFloorChange change;
    change.rate = number("floor_rate", 1, kFloorRateMax);
    change.epoch_s = number("floor_epoch", 0, kIdMax);
    change.lead_max_s = number("floor_lead_max", 1, kLeadMaxSecondsMax);
    if (text("floor_only_warns"))
      change.lead_only_warns = is_second("floor_only_warns", "no", "yes");
    return change;
  }
};

// What a call does on the store, off the event loops. Returns the data of the answer.
using Work = std::function<Result<std::string>(Store&, SegmentAllocator&)>;

// --- the calls ---
// Each reads its parameters and returns its work. kInvalidArgument: a parameter is wrong.

Result<Work> list_tags(TagParameters& given, const Caller&) {
  const std::string prefix = given.text("prefix").value_or("");
  const std::string after = given.text("after").value_or("");
  const std::int64_t limit = given.number("limit", 1, kPageTagsMax).value_or(kPageTagsByDefault);
  const bool quoted = given.quoted();
  given.keep(check_text("prefix", prefix));
  given.keep(check_text("after", after));
  return Work([=](Store& store, SegmentAllocator&) -> Result<std::string> {
    // One more tells whether there are more.
    Result<std::vector<TagInfo>> rows = store.list({prefix, after, limit + 1});
    if (!rows.ok()) return rows.status();
    const bool more = static_cast<std::int64_t>(rows->size()) > limit;
    if (more) rows->pop_back();
    std::string tags;
    for (const TagInfo& row : *rows) {
      tags.append(tags.empty() ? "" : ",").append(tag_json(row, quoted));
    }
    const std::string next = more ? json_string(rows->back().tag) : "null";
    return R"({"tags":[)" + tags + R"(],"next":)" + next + "}";
  });
}

Result<Work> show_lease_time(TagParameters& given, const Caller&) {
  const std::string tag = given.tag();
  const std::int64_t id = given.required_number("id", 1, kIdMax);
  const bool quoted = given.quoted();
  return Work([=](Store& store, SegmentAllocator&) -> Result<std::string> {
    const Result<TagInfo> info = store.info(tag);
    if (!info.ok()) return info.status();
    const Result<LeaseTime> time = lease_time_of(*info, id);
    if (!time.ok()) return time.status();
    return lease_time_json(tag, id, *time, quoted);
  });
}

Result<Work> show_tag(TagParameters& given, const Caller&) {
  const std::string tag = given.tag();
  const bool quoted = given.quoted();
  return Work([=](Store& store, SegmentAllocator&) -> Result<std::string> {
    const Result<TagInfo> info = store.info(tag);
    if (!info.ok()) return info.status();
    return tag_json(*info, quoted);
  });
}

// How an existing tag differs from the one to create; empty: not.
std::string difference(const TagInfo& is, const NewTag& wanted) {
  std::string text;
  const auto compare = [&text](const char* name, const std::string& has, const std::string& asked) {
    if (has == asked) return;
    text += (text.empty() ? "" : ", ") + std::string(name) + " " + has + " instead of " + asked;
  };
  const auto cap_of = [](const auto& tag) {
    return tag.cap == kIdMax ? "none" : std::to_string(tag.cap);
  };
  compare("step", std::to_string(is.step), std::to_string(wanted.step));
  compare("cap", cap_of(is), cap_of(wanted.options));
  compare("order", order_word(is.order), order_word(wanted.options.order));
  compare("format", json_string(is.format), json_string(wanted.options.format));
  compare("scramble", json_string(is.scramble), json_string(wanted.options.scramble));
  compare("description", json_string(is.description), json_string(wanted.options.description));
  compare("owner", json_string(is.owner), json_string(wanted.options.owner));
  const auto floor_of = [](const TimeFloor& floor) {
    if (!floor.is_set()) return std::string("none");
    return std::to_string(floor.rate) + " from " + std::to_string(floor.epoch_s) + ", lead_max " +
           std::to_string(floor.lead_max_s) + (floor.lead_only_warns ? " only warns" : "");
  };
  compare("floor", floor_of(is.floor), floor_of(wanted.options.floor));
  const auto period_of = [](const PeriodRule& rule) {
    return std::string(period_word(rule.kind)) + " with offset " +
           std::to_string(rule.offset_minutes);
  };
  compare("period", period_of(is.period), period_of(wanted.options.period));
  if (is.max_id < wanted.max_id) {
    compare("max_id", std::to_string(is.max_id), std::to_string(wanted.max_id));
  }
  return text;
}

Result<std::string> run_create(Store& store, const std::string& tag, const NewTag& wanted,
                               AnswerForm form, const Caller& caller) {
  const bool quoted = form.quoted;
  const Status created = store.create(tag, wanted);
  const bool exists = created.code() == StatusCode::kAlreadyExists;
  if (!created.ok() && (form.once || !exists)) return created;
  const Result<TagInfo> info = store.info(tag);
  if (created.ok()) {
    spdlog::info("{} created tag {} {}", caller.name(),
                 info.ok() ? tag_json(*info, false) : json_string(tag), caller.log_tag);
    if (info.ok()) return tag_json(*info, quoted);
    return Status(info.status().code(),
                  "the tag was created, but cannot be read now: " + info.status().message());
  }
  if (!info.ok()) return info.status().code() == StatusCode::kNotFound ? created : info.status();
  const std::string differs = difference(*info, wanted);
  if (differs.empty()) return tag_json(*info, quoted);  // as asked, perhaps by this client before
  return Status(created.code(), created.message() + ", with " + differs + "; change it by PATCH");
}

Result<Work> create_tag(TagParameters& given, const Caller& caller) {
  const std::string tag = given.tag();
  NewTag wanted(given.number("step", 1, kStepMax).value_or(kStepByDefault));
  wanted.max_id = given.number("max_id", 0, kIdMax).value_or(0);
  wanted.options.cap = given.cap().value_or(kIdMax);
  wanted.options.order = given.order().value_or(TagOrder::kPlain);
  wanted.options.format = given.text("format").value_or("");
  wanted.options.scramble = given.text("scramble").value_or("");
  wanted.options.description = given.text("description").value_or("");
  wanted.options.owner = given.text("owner").value_or("");
  const Result<TimeFloor> floor = new_floor(given.floor());
  if (floor.ok()) wanted.options.floor = *floor;
  given.keep(floor.status());
  wanted.options.period = given.period();
  wanted.by = given.by(caller);
  wanted.automatic = given.is_second("automatic", "no", "yes");
  const bool once = given.once();
  const bool quoted = given.quoted();
  return Work([=](Store& store, SegmentAllocator&) {
    return run_create(store, tag, wanted, {quoted, once}, caller);
  });
}

bool differs(const TagInfo& is, const TagChange& change) {
  const auto sets = [](const auto& wanted, const auto& has) { return wanted.value_or(has) != has; };
  const TimeFloorChange& floor = change.floor;
  return sets(change.step, is.step) || sets(change.cap, is.cap) || sets(change.order, is.order) ||
         sets(change.format, is.format) || sets(change.scramble, is.scramble) ||
         sets(change.description, is.description) || sets(change.owner, is.owner) ||
         sets(floor.rate, is.floor.rate) || sets(floor.epoch_s, is.floor.epoch_s) ||
         sets(floor.lead_max_s, is.floor.lead_max_s) ||
         sets(floor.lead_only_warns, is.floor.lead_only_warns);
}

Result<Work> change_tag(TagParameters& given, const Caller& caller) {
  const std::string tag = given.tag();
  TagChange change;
  change.step = given.number("step", 1, kStepMax);
  change.cap = given.cap();
  change.order = given.order();
  change.format = given.text("format");
  change.scramble = given.text("scramble");
  change.description = given.text("description");
  change.owner = given.text("owner");
  change.floor = given.floor();
  change.by = given.by(caller);
  const bool quoted = given.quoted();
  if (!change.step && is_plain(change)) {
    given.keep(
        invalid_parameter("there is nothing to change; add step, cap, order, format, scramble, "
                          "floor_rate, description or owner"));
  }
  return Work([=](Store& store, SegmentAllocator&) -> Result<std::string> {
    const Result<TagInfo> before = store.info(tag);
    if (!before.ok()) return before.status();
    if (!differs(*before, change)) return tag_json(*before, quoted);
    if (Status status = store.update(tag, change); !status.ok()) return status;
    const Result<TagInfo> after = store.info(tag);
    spdlog::info("{} changed tag {} to {} {}", caller.name(), tag_json(*before, false),
                 after.ok() ? tag_json(*after, false) : "(it cannot be read now)", caller.log_tag);
    if (after.ok()) return tag_json(*after, quoted);
    return Status(after.status().code(),
                  "the tag was changed, but cannot be read now: " + after.status().message());
  });
}

Result<Work> delete_tag(TagParameters& given, const Caller& caller) {
  const std::string tag = given.tag();
  const std::string by = given.by(caller);
  const bool quoted = given.quoted();
  return Work([=](Store& store, SegmentAllocator&) -> Result<std::string> {
    const Result<TagInfo> before = store.info(tag);
    if (!before.ok()) return before.status();
    if (Status status = store.remove(tag, by); !status.ok()) return status;
    spdlog::warn("{} deleted tag {} {}", caller.name(), tag_json(*before, false), caller.log_tag);
    return tag_json(*before, quoted);
  });
}

void log_move(const Caller& caller, const std::string& tag, std::int64_t from, std::int64_t to) {
  const bool back = to < from;
  spdlog::warn("{} moved tag {}{} from {} to {}{} {}", caller.name(), json_string(tag),
               back ? " backward" : "", from, to, back ? std::string(": ") + kBackwardWarning : "",
               caller.log_tag);
}

Result<Work> advance_tag(TagParameters& given, const Caller& caller) {
  const std::string tag = given.tag();
  const std::int64_t max_id = given.required_number("max_id", 0, kIdMax);
  const bool allow_backward = given.is_second("allow_backward", "no", "yes");
  const std::string by = given.by(caller);
  return Work([=](Store& store, SegmentAllocator& allocator) -> Result<std::string> {
    if (allow_backward) allocator.drop(tag);  // nobody may get what others will lease again

    const Result<std::int64_t> before =
        run_advance(store, {tag, max_id, allow_backward, by}, "allow_backward=yes");
    if (!before.ok()) return before.status();
    if (*before != max_id) log_move(caller, tag, *before, max_id);
    return std::to_string(max_id);
  });
}

// Where the tag moves back to, and where the caller says that it is.
struct Rewind {
  std::string tag;
  std::int64_t to = 0;
  std::int64_t from = 0;
  std::string by;
};

Result<std::string> run_rewind(Store& store, SegmentAllocator& allocator, const Rewind& rewind,
                               AnswerForm form, const Caller& caller) {
  const bool quoted = form.quoted;
  Result<TagInfo> info = store.info(rewind.tag);
  if (!info.ok()) return info.status();
  const std::int64_t before = std::exchange(info->max_id, rewind.to);
  // Perhaps by this client before.
  if (before == rewind.to && !form.once) return tag_json(*info, quoted);
  const std::string is_at = "tag '" + rewind.tag + "' is at " + std::to_string(before);
  if (rewind.from != before) {
    return Status(StatusCode::kAlreadyExists, is_at + ", not at " + std::to_string(rewind.from));
  }
  if (before < rewind.to) {
    return invalid_parameter(is_at + "; to move it forward, use /api/v1/tag/advance");
  }
  allocator.drop(rewind.tag);  // nobody may get what others will lease again
  const Result<bool> moved = store.rewind(rewind.tag, before, rewind.to, rewind.by);
  if (!moved.ok()) return moved.status();
  if (!*moved) {
    return Status(
        StatusCode::kAlreadyExists,
        "tag '" + rewind.tag +
            "' was not moved: a process leased in the meantime, or the leader or term on record is "
            "not the one that this server knows; stop every process, and try again");
  }
  log_move(caller, rewind.tag, before, rewind.to);
  const Result<TagInfo> after = store.info(rewind.tag);
  return tag_json(after.ok() ? *after : *info, quoted);
}

Result<Work> rewind_tag(TagParameters& given, const Caller& caller) {
  Rewind rewind;
  rewind.tag = given.tag();
  if (given.text("confirm") != rewind.tag) {
    given.keep(invalid_parameter("confirm must be the name of the tag again"));
  }
  rewind.to = given.required_number("max_id", 0, kIdMax);
  rewind.from = given.required_number("from", 0, std::numeric_limits<std::int64_t>::max());
  rewind.by = given.by(caller);
  const bool once = given.once();
  const bool quoted = given.quoted();
  return Work([=](Store& store, SegmentAllocator& allocator) {
    return run_rewind(store, allocator, rewind, {quoted, once}, caller);
  });
}

// --- from the request to the answer ---

using ReadCall = Result<Work> (*)(TagParameters&, const Caller&);

// The routes of one server.
class TagRoutes {
 public:
  TagRoutes(std::shared_ptr<Store> store, SegmentAllocator& allocator, StoreCalls& calls)
      : store_(std::move(store)), allocator_(allocator), calls_(calls) {}

  void serve(Exchange& exchange, ReadCall read) const {
    const Exchange::Wait& wait = exchange.wait;
    if (wait.expired) {
      return exchange.reply.fail_for_now(
          exchange.changes ? "the store has not answered in time; the change may still be made"
                           : "the store has not answered in time");
    }
    if (!wait.over) return begin(exchange, read);
    if (!wait.outcome.status.ok()) return fail(exchange.reply, wait.outcome.status);
    exchange.reply.succeed(wait.outcome.data);
  }

 private:
  void begin(Exchange& exchange, ReadCall read) const {
    TagParameters parameters(exchange.query);
    const Caller caller{exchange.who, exchange.log_tag()};
    Result<Work> work = read(parameters, caller);
    if (work.ok() && !parameters.status().ok()) work = parameters.status();
    if (!work.ok()) return fail(exchange.reply, work.status());
    const auto lane = exchange.changes ? StoreCalls::Lane::kAdmin : StoreCalls::Lane::kReads;
    exchange.park([store = store_, &allocator = allocator_, &calls = calls_, lane, caller,
                   changes = exchange.changes,
                   work = *std::move(work)](const Exchange::Resume& resume) {
      const bool posted = calls.post(lane, [=, &allocator] {
        Result<std::string> data = call_store<std::string>([&] { return work(*store, allocator); });
        if (changes && data.status().code() == StatusCode::kUnavailable) {
          spdlog::warn("a change by {} failed, and may have been made: {} {}", caller.name(),
                       json_string(data.status().message()), caller.log_tag);
          data =
              Status(data.status().code(),
                     data.status().message() + "; the change may have been made: look at the tag");
        }
        Exchange::Outcome outcome(data.status());
        if (data.ok()) outcome.data = *data;
        resume(outcome);
      });
      if (!posted)
        resume(Status(StatusCode::kUnavailable, "too many calls are waiting; try again"));
    });
  }

  const std::shared_ptr<Store> store_;
  SegmentAllocator& allocator_;
  StoreCalls& calls_;
};

}  // namespace

void add_tag_routes(Router& router, const std::shared_ptr<Store>& store,
                    SegmentAllocator& allocator, StoreCalls& calls) {
  const TagRoutes routes(store, allocator, calls);
  const auto add = [&](const char* path, const char* method, ReadCall read,
                       std::vector<std::string> parameters) {
    const bool reads = std::string_view(method) == "GET";
    router.add(path, {method,
                      reads ? Effect::kReads : Effect::kChanges,
                      [routes, read](Exchange& exchange) { routes.serve(exchange, read); },
                      {},
                      std::move(parameters)});
  };
  constexpr const char* kTag = "/api/v1/tag";
  constexpr const char* kAdvance = "/api/v1/tag/advance";
  add("/api/v1/tags", "GET", list_tags, {"prefix", "after", "limit", "as"});
  add("/api/v1/id/when", "GET", show_lease_time, {"biz_tag", "id", "as"});
  add(kTag, "GET", show_tag, {"biz_tag", "as"});
  std::vector<std::string> options = {
      "biz_tag",     "step",  "cap",        "order",       "format",         "scramble",
      "description", "owner", "floor_rate", "floor_epoch", "floor_lead_max", "floor_only_warns",
      "by",          "as"};
  add(kTag, "PATCH", change_tag, options);
  for (const char* const only_new : {"max_id", "period", "period_offset", "automatic", "once"}) {
    options.emplace_back(only_new);
  }
  add(kTag, "POST", create_tag, options);
  add(kTag, "DELETE", delete_tag, {"biz_tag", "by", "as"});
  add("/api/v1/tag/rewind", "POST", rewind_tag,
      {"biz_tag", "confirm", "max_id", "from", "by", "once", "as"});
  const std::vector<std::string> of_advance = {"biz_tag", "max_id", "allow_backward", "by"};
  add(kAdvance, "POST", advance_tag, of_advance);
  router.add(kAdvance, {"GET",
                        Effect::kChanges,
                        [routes](Exchange& exchange) {
                          routes.serve(exchange, advance_tag);
                          exchange.reply.headers.emplace_back("Deprecation", kGetDeprecated);
                        },
                        {},
                        of_advance});
}

}  // namespace featherid
