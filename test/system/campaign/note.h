// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_CAMPAIGN_NOTE_H_
#define FEATHERID_TEST_SYSTEM_CAMPAIGN_NOTE_H_

#include <chrono>
#include <cstdint>

namespace featherid::campaign {

// A thread's record of one answer. Embedding processes append each to a file by one write(), which
// a kill -9 cannot undo.
struct Note {
  enum Kind : std::uint8_t {
    kIds,           // the first range of an answer
    kMoreIds,       // a further range of the same answer
    kUnorderedIds,  // of a LocalBlock, which keeps no order with other ids
    kError,         // `code`: the HTTP status, 0 without an answer; embedded: the StatusCode
  };

  std::int64_t began_us;  // the call, by the monotonic clock, which all processes share
  std::int64_t at_us;     // the answer
  std::int64_t first;
  std::int64_t end;
  Kind kind;
  std::uint8_t tag;      // index among the tags of the process
  std::uint16_t thread;  // index among the threads of the process
  std::uint16_t life;    // of the process: it rises with every start
  std::uint16_t code;
  std::int32_t period = 0;  // of the ids: Period::number(). 0: their tag has none

  bool has_ids() const { return kind != kError; }
  bool begins_answer() const { return kind == kIds || kind == kUnorderedIds; }
};
static_assert(sizeof(Note) == 48);

inline std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_SYSTEM_CAMPAIGN_NOTE_H_
