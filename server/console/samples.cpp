// SPDX-License-Identifier: MIT
#include "server/console/samples.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>

namespace featherid {

namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

float in_ms(std::chrono::microseconds time) { return static_cast<float>(time.count()) / 1000; }

}  // namespace

float lease_ms(const TagStats& tag) {
  return tag.leases > 0 ? in_ms(tag.last_lease_latency) : kNone;
}

void Samples::add(const std::vector<TagStats>& tags, const LeaseLatency& latency, TimePoint now) {
  const MutexLock lock(mutex_);
  ++number_;
  std::int64_t issued_ids = 0;
  std::int64_t held_ids = 0;
  for (const TagStats& tag : tags) {
    issued_ids += tag.issued_ids;
    held_ids += tag.held_ids;
    auto found = tags_.find(tag.tag);
    if (found == tags_.end()) {
      if (tags_.size() >= tags_max_) continue;
      found = tags_.try_emplace(tag.tag).first;
      found->second.first = number_;
    }
    Ring& ring = found->second;
    put({rate(tag.issued_ids, ring, now), static_cast<float>(tag.held_ids), lease_ms(tag)},
        tag.issued_ids, &ring);
  }
  const std::int64_t leases =
      std::accumulate(latency.counts.begin(), latency.counts.end(), std::int64_t{0});
  const auto new_leases = static_cast<float>(leases - leases_);
  const float mean_ms = new_leases > 0 ? in_ms(latency.sum - leases_took_) / new_leases : kNone;
  leases_ = leases;
  leases_took_ = latency.sum;
  if (all_.first == 0) all_.first = number_;
  put({rate(issued_ids, all_, now), static_cast<float>(held_ids), mean_ms}, issued_ids, &all_);
  taken_at_[number_ % kKept] = now;
  for (auto ring = tags_.begin(); ring != tags_.end();) {
    ring = ring->second.last == number_ ? std::next(ring) : tags_.erase(ring);
  }
}

void Samples::put(const Sample& sample, std::int64_t issued_ids, Ring* ring) {
  ring->samples[number_ % kKept] = sample;
  ring->last = number_;
  ring->issued_ids = issued_ids;
}

// None for the first sample, because nobody knows since when the ids were issued.
float Samples::rate(std::int64_t issued_ids, const Ring& ring, TimePoint now) const {
  if (ring.last == 0) return kNone;
  const std::chrono::duration<double> elapsed = now - taken_at_[ring.last % kKept];
  const auto ids = static_cast<double>(std::max<std::int64_t>(0, issued_ids - ring.issued_ids));
  return elapsed.count() > 0 ? static_cast<float>(ids / elapsed.count()) : 0;
}

SampleSeries Samples::read(const Ring& ring, TimePoint now) const {
  SampleSeries series;
  if (ring.last == 0) return series;
  std::uint64_t number = ring.first;
  if (number_ - number >= kKept) number = number_ - kKept + 1;
  for (; number <= number_; ++number) {
    const std::chrono::duration<float> ago = now - taken_at_[number % kKept];
    series.seconds_ago.push_back(std::max(0.0F, ago.count()));
    series.samples.push_back(ring.samples[number % kKept]);
  }
  return series;
}

std::optional<SampleSeries> Samples::of_tag(const std::string& tag, TimePoint now) const {
  const MutexLock lock(mutex_);
  const auto found = tags_.find(tag);
  if (found == tags_.end()) {  // the next sample may include it
    return tags_.size() < tags_max_ ? std::make_optional(SampleSeries()) : std::nullopt;
  }
  return read(found->second, now);
}

SampleSeries Samples::of_all(TimePoint now) const {
  const MutexLock lock(mutex_);
  return read(all_, now);
}

}  // namespace featherid
