// SPDX-License-Identifier: MIT
#include "server/console/status_json.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "featherid/version.h"
#include "server/log/json.h"
#include "server/ops/metrics.h"
#include "server/store/cap.h"

namespace featherid {

namespace {

constexpr std::size_t kLineBytesMax = 2000;  // of a log line

// An object or an array, written from left to right.
class JsonWriter {
 public:
  explicit JsonWriter(char begin, char end, IdsAs as = IdsAs::kNumber)
      : text_(1, begin), end_(end), as_(as) {}

  JsonWriter& raw(std::string_view name, std::string_view json) {
    if (text_.size() > 1) text_ += ',';
    if (!name.empty()) text_.append(1, '"').append(name).append("\":");
    text_.append(json);
    return *this;
  }
  JsonWriter& text(std::string_view name, std::string_view value) {
    return raw(name, json_string(value));
  }
  JsonWriter& id(std::string_view name, std::int64_t value) {
    const std::string digits = std::to_string(value);
    return raw(name, as_ == IdsAs::kText ? '"' + digits + '"' : digits);
  }
  JsonWriter& count(std::string_view name, std::int64_t value) {
    return raw(name, std::to_string(value));
  }
  JsonWriter& real(std::string_view name, double value) {
    return raw(name, std::isfinite(value) ? fmt::format("{:.6g}", value) : "null");
  }
  JsonWriter& flag(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
  }

  std::string take() { return std::move(text_) + end_; }

 private:
  std::string text_;
  const char end_;
  const IdsAs as_;
};

JsonWriter object(IdsAs as = IdsAs::kNumber) { return JsonWriter('{', '}', as); }
JsonWriter array() { return JsonWriter('[', ']'); }

std::string text_or_null(const std::string& text) {
  return text.empty() ? "null" : json_string(text);
}

// "null": never, or nobody knows when, or so late that a clock could not count it.
std::string end_json(std::optional<double> seconds_left,
                     std::chrono::system_clock::time_point now) {
  constexpr double kFarSeconds = 200.0 * 365 * 24 * 3600;
  if (!seconds_left || *seconds_left >= kFarSeconds) return "null";
  return json_time(now + std::chrono::seconds(static_cast<long long>(*seconds_left)));
}

std::optional<double> seconds_to(std::int64_t end, const TagStats& tag) {
  if (tag.series_ids_per_second <= 0) return std::nullopt;
  const auto left = static_cast<double>(std::max<std::int64_t>(0, end - tag.max_id));
  return left / tag.series_ids_per_second;
}

// Of the end that the tag is near.
double share_used(const TagStats& tag) {
  const std::optional<SeriesEnd> end = near_end(tag.max_id, tag.cap);
  return end ? static_cast<double>(tag.max_id) / static_cast<double>(end->last_id) : 0;
}

// Keeps those with the largest shares, largest first.
void note_ending(const TagStats& tag, TagTotals* totals) {
  ++totals->ending_count;
  std::vector<TagStats>& shown = totals->ending;
  const double share = share_used(tag);
  const auto place = std::find_if(shown.begin(), shown.end(), [share](const TagStats& other) {
    return share_used(other) < share;
  });
  if (place == shown.end() && shown.size() == TagTotals::kShown) return;
  shown.insert(place, tag);
  if (shown.size() > TagTotals::kShown) shown.pop_back();
}

const char* state_of(const TagStats& tag) {
  switch (tag.last_error.code()) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kExhausted:
      return "exhausted";
    case StatusCode::kDataLoss:
      return "stopped";
    case StatusCode::kNotFound:
      return "deleted";
    default:
      return "failing";
  }
}

// A tag that is near an end.
std::string ending_json(const TagStats& tag, IdsAs as, std::chrono::system_clock::time_point now) {
  const SeriesEnd end = near_end(tag.max_id, tag.cap).value();
  return object(as)
      .text("biz_tag", tag.tag)
      .text("end", end.name)
      .id("last_id", end.last_id)
      .real("share", share_used(tag))
      .raw("ends_at", end_json(seconds_to(end.last_id, tag), now))
      .take();
}

}  // namespace

TagTotals total(const std::vector<TagStats>& tags) {
  TagTotals totals;
  totals.tags = tags.size();
  for (const TagStats& tag : tags) {
    totals.ids_per_second += tag.burn_ids_per_second;
    totals.held_ids += tag.held_ids;
    const double seconds = survivable_seconds(tag);
    // A tag that has ended without any outage says nothing about one.
    const StatusCode code = tag.last_error.code();
    const bool ended = code == StatusCode::kExhausted || code == StatusCode::kDataLoss;
    if (!ended && std::isfinite(seconds) &&
        seconds < totals.survivable_seconds.value_or(HUGE_VAL)) {
      totals.survivable_seconds = seconds;
      totals.worst_tag = tag.tag;
    }
    if (code == StatusCode::kNotFound) continue;  // removed: nothing to do
    if (!tag.last_error.ok()) {
      if (++totals.failing_count <= TagTotals::kShown) totals.failing.push_back(tag);
    } else if (near_end(tag.max_id, tag.cap)) {
      note_ending(tag, &totals);
    }
  }
  return totals;
}

std::optional<double> seconds_to_end(const TagStats& tag) { return seconds_to(tag.cap, tag); }

std::string tag_json(const TagStats& tag, IdsAs as, std::chrono::system_clock::time_point now) {
  JsonWriter json = object(as);
  json.text("biz_tag", tag.tag).text("state", state_of(tag));
  json.raw("error", text_or_null(tag.last_error.message()));
  json.real("ids_per_second", tag.burn_ids_per_second).id("held", tag.held_ids);
  json.id("issued", tag.issued_ids).real("survivable_seconds", survivable_seconds(tag));
  json.count("waits", tag.waits).count("leases", tag.leases);
  json.count("lease_failures", tag.lease_failures);
  json.real("lease_ms", lease_ms(tag));
  json.id("max_id", tag.max_id);
  tag.cap < kIdMax ? json.id("cap", tag.cap) : json.raw("cap", "null");
  json.real("series_ids_per_second", tag.series_ids_per_second);
  json.raw("ends_at", end_json(seconds_to_end(tag), now));
  return json.take();
}

std::string series_json(const SampleSeries& series) {
  JsonWriter ago = array();
  JsonWriter rate = array();
  JsonWriter held = array();
  JsonWriter lease = array();
  for (const float seconds : series.seconds_ago) ago.count("", std::lround(seconds));
  for (const Sample& sample : series.samples) {
    rate.real("", sample.ids_per_second);
    held.real("", sample.held_ids);
    lease.real("", sample.lease_ms);
  }
  return object()
      .count("every_seconds", Samples::kEvery.count())
      .raw("seconds_ago", ago.take())
      .raw("ids_per_second", rate.take())
      .raw("held", held.take())
      .raw("lease_ms", lease.take())
      .take();
}

std::string status_json(const ServerStatus& status, IdsAs as) {
  const TagTotals& totals = status.totals;
  JsonWriter failing = array();
  for (const TagStats& tag : totals.failing) {
    failing.raw("", object()
                        .text("biz_tag", tag.tag)
                        .text("state", state_of(tag))
                        .text("error", tag.last_error.message())
                        .take());
  }
  JsonWriter ending = array();
  for (const TagStats& tag : totals.ending) ending.raw("", ending_json(tag, as, status.now));
  JsonWriter warnings = array();
  for (const LogLine& line : status.warnings) {
    warnings.raw("", object()
                         .raw("at", json_time(line.at))
                         .text("level", log_level_name(line.level))
                         .text("text", std::string_view(line.text).substr(0, kLineBytesMax))
                         .take());
  }
  JsonWriter store = object();
  store.raw("up", !status.store_up ? "null" : *status.store_up ? "true" : "false");
  store.raw("message", text_or_null(status.store_message));
  store.text("address", status.store).raw("leader", text_or_null(status.leader));

  JsonWriter json = object(as);
  json.flag("ready", status.not_ready_because.empty());
  json.raw("not_ready_because", text_or_null(status.not_ready_because));
  json.text("version", FEATHERID_VERSION).count("uptime_seconds", status.uptime.count());
  json.real("ids_per_second", totals.ids_per_second).id("held", totals.held_ids);
  json.raw("worst_tag", text_or_null(totals.worst_tag));
  json.real("survivable_seconds", totals.survivable_seconds.value_or(HUGE_VAL));
  json.count("tags", static_cast<std::int64_t>(totals.tags));
  json.count("failing", static_cast<std::int64_t>(totals.failing_count));
  json.raw("failing_tags", failing.take());
  json.count("ending", static_cast<std::int64_t>(totals.ending_count));
  json.raw("ending_tags", ending.take()).raw("store", store.take());
  json.flag("may_change", status.may_change).text("log_level", status.log_level);
  json.raw("warnings", warnings.take()).raw("samples", series_json(status.samples));
  return json.take();
}

}  // namespace featherid
