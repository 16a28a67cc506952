// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_LATENCIES_H_
#define FEATHERID_TEST_BENCH_LATENCIES_H_

#include <algorithm>
#include <cstdint>
#include <istream>
#include <ostream>
#include <vector>

namespace featherid::bench {

// A histogram of nanoseconds: exact below 64, within 1/32 above. Not thread-safe.
class Latencies {
 public:
  void add(std::int64_t ns) {
    ++counts_[bucket(static_cast<std::uint64_t>(std::max<std::int64_t>(0, ns)))];
    ++count_;
    max_ns_ = std::max(max_ns_, ns);
  }

  void add(const Latencies& others) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += others.counts_[i];
    count_ += others.count_;
    max_ns_ = std::max(max_ns_, others.max_ns_);
  }

  // The shortest time that at least `share` (0 to 1) of all calls did not exceed.
  double quantile_ns(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted && seen > 0) return static_cast<double>(lowest(i));
    }
    return 0;
  }
  double max_ns() const { return static_cast<double>(max_ns_); }
  std::uint64_t count() const { return count_; }

  // For another process of the same program.
  void save(std::ostream& out) const {
    out.write(reinterpret_cast<const char*>(counts_.data()), bytes());
    out.write(reinterpret_cast<const char*>(&count_), sizeof count_);
    out.write(reinterpret_cast<const char*>(&max_ns_), sizeof max_ns_);
  }
  void load(std::istream& in) {
    in.read(reinterpret_cast<char*>(counts_.data()), bytes());
    in.read(reinterpret_cast<char*>(&count_), sizeof count_);
    in.read(reinterpret_cast<char*>(&max_ns_), sizeof max_ns_);
  }

 private:
  static constexpr std::uint64_t kExact = 64;

  std::streamsize bytes() const {
    return static_cast<std::streamsize>(counts_.size() * sizeof counts_.front());
  }

  // Above kExact: 32 buckets for each doubling.
  static std::size_t bucket(std::uint64_t ns) {
    std::size_t doublings = 0;
    for (; ns >= kExact; ns /= 2) ++doublings;
    return doublings == 0 ? ns : doublings * (kExact / 2) + ns;
  }
  static std::uint64_t lowest(std::size_t bucket) {
    if (bucket < kExact) return bucket;
    const std::size_t doublings = bucket / (kExact / 2) - 1;
    return (bucket - doublings * (kExact / 2)) << doublings;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(64 * (kExact / 2) + kExact);
  std::uint64_t count_ = 0;
  std::int64_t max_ns_ = 0;
};

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_LATENCIES_H_
