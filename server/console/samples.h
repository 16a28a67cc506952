// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_CONSOLE_SAMPLES_H_
#define FEATHERID_SERVER_CONSOLE_SAMPLES_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "featherid/stats.h"
#include "lib/base/mutex.h"

namespace featherid {

// How long the tag's last lease took; not a number if it has had none.
float lease_ms(const TagStats& tag);

// What was measured since the sample before; not a number if there is nothing. Floats, because they
// are only drawn.
struct Sample {
  float ids_per_second = 0;
  float held_ids = 0;
  float lease_ms = 0;  // of a tag: the last lease; of all tags: the mean
};

// Samples of one tag or of all tags, the oldest first.
struct SampleSeries {
  std::vector<float> seconds_ago;
  std::vector<Sample> samples;
};

// The last hour of each tag and of all tags together. A tag costs kKept * sizeof(Sample), which is
// 4320 bytes, and its name. Only the first `tags_max` tags are kept. Thread-safe.
class Samples {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds kEvery{10};
  static constexpr std::size_t kKept = 360;

  explicit Samples(std::size_t tags_max) : tags_max_(tags_max) {}

  // Takes one sample of each tag. Tags that are missing lose their samples.
  void add(const std::vector<TagStats>& tags, const LeaseLatency& latency, TimePoint now)
      EXCLUDES(mutex_);

  // Nothing: the tag is not kept.
  std::optional<SampleSeries> of_tag(const std::string& tag, TimePoint now) const EXCLUDES(mutex_);
  SampleSeries of_all(TimePoint now) const EXCLUDES(mutex_);

 private:
  struct Ring {
    std::uint64_t first = 0;  // the number of its first sample
    std::uint64_t last = 0;
    std::int64_t issued_ids = 0;  // at the last sample
    std::array<Sample, kKept> samples{};
  };
  void put(const Sample& sample, std::int64_t issued_ids, Ring* ring) REQUIRES(mutex_);
  float rate(std::int64_t issued_ids, const Ring& ring, TimePoint now) const REQUIRES(mutex_);
  SampleSeries read(const Ring& ring, TimePoint now) const REQUIRES(mutex_);

  const std::size_t tags_max_;

  mutable Mutex mutex_;
  std::uint64_t number_ GUARDED_BY(mutex_) = 0;  // of the last sample; the first one is 1
  std::array<TimePoint, kKept> taken_at_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Ring> tags_ GUARDED_BY(mutex_);
  Ring all_ GUARDED_BY(mutex_);
  std::int64_t leases_ GUARDED_BY(mutex_) = 0;  // of all tags, at the last sample
  std::chrono::microseconds leases_took_ GUARDED_BY(mutex_){0};
};

}  // namespace featherid

#endif  // FEATHERID_SERVER_CONSOLE_SAMPLES_H_
