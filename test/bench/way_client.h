// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_WAY_CLIENT_H_
#define FEATHERID_TEST_BENCH_WAY_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "featherid/id_range.h"
#include "test/bench/latencies.h"

namespace featherid::bench {

// One way in, as a client process takes it: again and again the same call.
struct WayCall {
  enum class Kind {
    kEmbedded,   // Sequence::next() of an allocator over the store `where`
    kHttpId,     // GET /api/v1/id; `where` is the port
    kHttpBatch,  // /api/v1/id/batch
    kHttpRange,  // /api/v1/id/range
    kRedis,      // INCR, `ids` of them sent at once
  };
  Kind kind = Kind::kEmbedded;
  std::string where;
  std::string tag;
  int ids = 1;               // of one call
  std::string ca_file = {};  // empty: without TLS
};

// What one client process got.
struct WayReport {
  void add(IdRange range) {
    ids += range.size();
    if (!ranges.empty() && ranges.back().end == range.first) {
      ranges.back().end = range.end;
    } else {
      ranges.push_back(range);
    }
  }

  std::int64_t ids = 0;
  std::int64_t errors = 0;
  double seconds = 0;
  Latencies latencies;          // of one call
  std::vector<IdRange> ranges;  // in the order in which they came

  void save(const std::string& file) const;
  static WayReport load(const std::string& file);
};

// A client process `number` and the one that started it meet in a folder: it says there that it is
// ready, waits until all may go, and leaves its report.
class Meeting {
 public:
  explicit Meeting(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }
  std::string ready_file(int number) const { return at("ready", number); }
  std::string report_file(int number) const { return at("report", number); }
  std::string go_file() const { return folder_ + "/go"; }

 private:
  std::string at(const char* name, int number) const {
    return folder_ + "/" + name + "." + std::to_string(number);
  }
  std::string folder_;
};

// The arguments of a client process, behind the name of its program, and its main().
std::vector<std::string> arguments_of(const WayCall& call, std::chrono::milliseconds duration,
                                      const Meeting& meeting, int number);
int run_way_client(const std::vector<std::string>& arguments);

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_WAY_CLIENT_H_
