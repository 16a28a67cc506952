// SPDX-License-Identifier: MIT
#include "server/api/id_routes.h"

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api/status_reply.h"
#include "server/api/take_ids.h"
#include "server/log/json.h"

namespace featherid {

namespace {

using Ranges = std::vector<IdRange>;

enum class As { kNumber, kString, kText };

// What the client asks for.
struct IdRequest {
  const std::string* tag = nullptr;
  std::int64_t count_ids = 1;
  As as = As::kNumber;
  bool quoted() const { return as != As::kNumber; }
};

// Reads biz_tag and as. False if they are wrong; the reply then says why.
bool read_request(Exchange& exchange, IdRequest* asked) {
  asked->tag = exchange.query.find("biz_tag");
  if (asked->tag == nullptr || asked->tag->empty()) {
    exchange.reply.fail(400, ApiCode::kBadRequest, "biz_tag is missing; add ?biz_tag=order");
    return false;
  }
  const std::string* as = exchange.query.find("as");
  if (as == nullptr || *as == "number") return true;
  asked->as = *as == "string" ? As::kString : As::kText;
  if (*as == "string" || *as == "text") return true;
  exchange.reply.fail(400, ApiCode::kBadRequest, "'as' must be number, string or text");
  return false;
}

// How the tag's ids are written. Null: the request is parked until that is known, or has failed.
std::shared_ptr<const TagText> find_text(Exchange& exchange, TagTexts& texts,
                                         const std::string& tag) {
  const Exchange::Wait& wait = exchange.wait;
  std::shared_ptr<const TagText> text = texts.find(tag, wait.over || wait.expired);
  if (text != nullptr) return text;  // an error of the wait was that of the wait for ids
  if (!wait.outcome.status.ok()) return fail_ids(exchange.reply, wait.outcome.status), nullptr;
  if (const Status bad = validate_tag(tag); !bad.ok()) {
    return fail_ids(exchange.reply, bad), nullptr;
  }
  if (wait.expired) {
    return exchange.reply.fail_for_now("the store has not answered in time"), nullptr;
  }
  exchange.park([&texts, tag](const Exchange::Resume& resume) {
    texts.ask(tag, [resume](const Status& status) { resume(status); });
  });
  return nullptr;
}

bool read_count(Exchange& exchange, std::int64_t count_max, IdRequest* asked) {
  const std::string* text = exchange.query.find("count");
  if (text != nullptr) {
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, asked->count_ids);
    if (error == std::errc() && stop == end && asked->count_ids >= 1 &&
        asked->count_ids <= count_max) {
      return true;
    }
  }
  exchange.reply.fail(400, ApiCode::kBadCount,
                      "count must be a number from 1 to " + std::to_string(count_max));
  return false;
}

// The ids that the request has waited for, or that are in memory. Otherwise parks the request until
// they come, or fails. Nothing: the request is parked or has failed. `missed`: an error if it has
// found none in memory before.
std::optional<PeriodRanges> take(Exchange& exchange, SegmentAllocator& allocator,
                                 const IdRequest& asked, const Status& missed = {}) {
  const WantedIds wanted{*asked.tag, asked.count_ids, /*consecutive=*/false, /*in_period=*/true};
  TakenIds taken = take_ids(allocator, wanted, exchange.wait, missed);
  if (taken.start_wait) return exchange.park(std::move(taken.start_wait)), std::nullopt;
  if (!taken.status.ok()) return fail_ids(exchange.reply, taken.status), std::nullopt;
  return std::move(taken.ids);
}

void succeed(Reply& reply, const Period& period, std::string_view json) {
  if (period == Period()) return reply.succeed(json);
  reply.succeed_in(to_string(period), json);
}

// Writes numbers, in quotes if `quoted`.
class NumberWriter {
 public:
  NumberWriter(bool quoted, std::string* out) : quoted_(quoted), out_(out) {}

  void write(std::int64_t number) {
    char text[24];
    char* begin = text;
    if (quoted_) *begin++ = '"';
    char* end = std::to_chars(begin, text + sizeof text - 1, number).ptr;
    if (quoted_) *end++ = '"';
    out_->append(text, static_cast<std::size_t>(end - text));
  }

 private:
  const bool quoted_;
  std::string* const out_;
};

// Appends the text of an id as JSON.
Status append_text(const TagText& text, std::int64_t id, const Period& period, std::string* json) {
  const Result<std::string> written = text.write(id, period);
  if (written.ok()) json->append(json_string(*written));
  return written.status();
}

// A number as text that is incremented in place. Converting each id of a batch would cost more than
// the rest of the answer.
class DecimalCounter {
 public:
  explicit DecimalCounter(std::int64_t number) : number_(number) { write(); }

  std::string_view text() const { return {text_, size_}; }

  void increment() {
    ++number_;
    std::size_t at = size_ - 1;
    while (at > 0 && text_[at] == '9') text_[at--] = '0';
    if (text_[at] == '9') return write();  // it gets another digit
    ++text_[at];
  }

 private:
  void write() {
    size_ =
        static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof text_, number_).ptr - text_);
  }

  std::int64_t number_;
  std::size_t size_ = 0;
  char text_[20];
};

void serve_id(Exchange& exchange, const IdSources& sources) {
  IdRequest asked;
  if (!read_request(exchange, &asked)) return;
  std::shared_ptr<const TagText> text;
  if (asked.as == As::kText) {
    text = find_text(exchange, sources.texts, *asked.tag);
    if (text == nullptr) return;
  }
  std::int64_t id = 0;
  Period period;
  Status missed;
  if (!exchange.wait.over) {
    const Result<std::int64_t> next = sources.allocator.try_next_id(*asked.tag);
    missed = next.status();
    if (next.ok()) id = *next;
  }
  if (id == 0) {
    const std::optional<PeriodRanges> taken = take(exchange, sources.allocator, asked, missed);
    if (!taken) return;
    id = taken->ranges.front().first;
    period = taken->period;
  }
  std::string json;
  if (text == nullptr) {
    NumberWriter(asked.quoted(), &json).write(id);
  } else if (const Status bad = append_text(*text, id, period, &json); !bad.ok()) {
    return fail_ids(exchange.reply, bad);
  }
  succeed(exchange.reply, period, json);
}

void append_numbers(const Ranges& ranges, bool quoted, std::string* json) {
  for (const IdRange& range : ranges) {
    DecimalCounter id(range.first);
    for (std::int64_t left = range.size(); left > 0; --left, id.increment()) {
      json->push_back(json->empty() ? '[' : ',');
      if (quoted) json->push_back('"');
      json->append(id.text());
      if (quoted) json->push_back('"');
    }
  }
}

Status append_texts(const PeriodRanges& taken, const TagText& text, std::string* json) {
  for (const IdRange& range : taken.ranges) {
    for (std::int64_t id = range.first; id < range.end; ++id) {
      json->push_back(json->empty() ? '[' : ',');
      if (Status bad = append_text(text, id, taken.period, json); !bad.ok()) return bad;
    }
  }
  return {};
}

void serve_batch(Exchange& exchange, const IdSources& sources, std::int64_t count_max) {
  constexpr std::size_t kIdBytesMax = 22;  // 19 digits, quotes and a comma
  IdRequest asked;
  if (!read_request(exchange, &asked) || !read_count(exchange, count_max, &asked)) return;
  std::shared_ptr<const TagText> text;
  if (asked.as == As::kText) {
    text = find_text(exchange, sources.texts, *asked.tag);
    if (text == nullptr) return;
  }
  const std::optional<PeriodRanges> taken = take(exchange, sources.allocator, asked);
  if (!taken) return;
  std::string json;
  json.reserve(static_cast<std::size_t>(asked.count_ids) * kIdBytesMax + 2);
  if (text == nullptr) {
    append_numbers(taken->ranges, asked.quoted(), &json);
  } else if (const Status bad = append_texts(*taken, *text, &json); !bad.ok()) {
    return fail_ids(exchange.reply, bad);
  }
  json.push_back(']');
  succeed(exchange.reply, taken->period, json);
}

// The way back from as=text.
void serve_parse(Exchange& exchange, TagTexts& texts) {
  IdRequest asked;
  if (!read_request(exchange, &asked)) return;
  const std::string* const given = exchange.query.find("text");
  if (given == nullptr) {
    return exchange.reply.fail(400, ApiCode::kBadRequest, "text is missing; add &text=INV-42");
  }
  const std::shared_ptr<const TagText> text = find_text(exchange, texts, *asked.tag);
  if (text == nullptr) return;
  const Result<PeriodId> id = text->read(*given);
  if (!id.ok()) return fail_ids(exchange.reply, id.status());
  std::string json;
  NumberWriter(asked.quoted(), &json).write(id->id);
  succeed(exchange.reply, id->period, json);
}

void serve_range(Exchange& exchange, SegmentAllocator& allocator) {
  IdRequest asked;
  if (!read_request(exchange, &asked) || !read_count(exchange, kRangeIdsMax, &asked)) return;
  if (asked.as == As::kText) {
    return exchange.reply.fail(400, ApiCode::kBadRequest,
                               "a range has no text; use /api/v1/id/batch for as=text");
  }
  const std::optional<PeriodRanges> taken = take(exchange, allocator, asked);
  if (!taken) return;
  std::string json;
  NumberWriter writer(asked.quoted(), &json);
  for (const IdRange& range : taken->ranges) {
    json.append(json.empty() ? "[" : ",").append(R"({"first":)");
    writer.write(range.first);
    json.append(R"(,"last":)");
    writer.write(range.last());
    json.push_back('}');
  }
  json.push_back(']');
  succeed(exchange.reply, taken->period, json);
}

}  // namespace

void add_id_routes(Router& router, const IdSources& sources, std::int64_t batch_ids_max) {
  router.get("/api/v1/id", Effect::kUsesIds,
             [sources](Exchange& exchange) { serve_id(exchange, sources); });
  router.get("/api/v1/id/batch", Effect::kUsesIds, [sources, batch_ids_max](Exchange& exchange) {
    serve_batch(exchange, sources, batch_ids_max);
  });
  router.get("/api/v1/id/range", Effect::kUsesIds,
             [sources](Exchange& exchange) { serve_range(exchange, sources.allocator); });
  router.get("/api/v1/id/parse", Effect::kReads,
             [sources](Exchange& exchange) { serve_parse(exchange, sources.texts); });
}

}  // namespace featherid
