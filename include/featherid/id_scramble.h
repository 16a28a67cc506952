// SPDX-License-Identifier: MIT
#ifndef FEATHERID_ID_SCRAMBLE_H_
#define FEATHERID_ID_SCRAMBLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "featherid/internal/export.h"
#include "featherid/status.h"

namespace featherid {

struct ScrambleKeyList;

// The keys of a scramble. Each has a number. The first one scrambles, and all of them map back. As
// text: `NUMBER:KEY`, separated by spaces or ends of lines. A key is 32, 48 or 64 hexadecimal
// digits (AES-128, -192 or -256).
//
//   0:2b7e151628aed2a6abf7158809cf4f3c
//
// Never give a number to another key later: docs/scramble.md. Copies share the keys. The last copy
// wipes them from memory. Errors are kFailedPrecondition, or those of a file that cannot be read
// (kUnavailable if it is missing or empty), and show no key.
class FEATHERID_EXPORT ScrambleKeys {
 public:
  static Result<ScrambleKeys> parse(std::string_view text);
  // A regular file of at most 64 KiB. Only its owner should be able to read it.
  static Result<ScrambleKeys> read_file(const std::string& path);
  static Result<ScrambleKeys> read_environment(const std::string& variable);

  ScrambleKeys(const ScrambleKeys&) = default;
  ScrambleKeys& operator=(const ScrambleKeys&) = default;

 private:
  friend class IdScramble;
  explicit ScrambleKeys(std::shared_ptr<const ScrambleKeyList> keys);

  std::shared_ptr<const ScrambleKeyList> keys_;
};

// Maps ids to numbers that look unrelated, and back: a keyed bijection on [0, 2^bits) or on
// [0, 10^digits), FF1 of NIST SP 800-38G over AES. It hides how many ids there are and which came
// first. It is not for secrets: whoever holds the key reads every id, and every number of the
// domain maps back to some id, issued or not.
//
// A number contains the number of its key: key n yields n * size of the domain + a number of the
// domain. So key 0 yields numbers of the domain, and two keys never yield the same number.
//
// A tweak, such as the period of the ids, selects another bijection. The same tweak is needed to
// map back. Ids with different tweaks may become the same number, as ids of different tags may.
//
// Threads: all methods may be called from any thread at once, and in a child after fork().
// Scrambles are cheap to copy. Cost: docs/scramble.md. Errors: kInvalidArgument; kUnavailable if
// OpenSSL lacks memory.
class FEATHERID_EXPORT IdScramble {
 public:
  static constexpr std::size_t kTweakBytesMax = 64;

  // 20 to 63 bits, or 6 to 18 digits: FF1 requires a domain of 1,000,000 numbers. kInvalidArgument:
  // the domain is not one of these, or the numbers of a key would pass 2^63 - 1.
  static Result<IdScramble> with_bits(int bits, const ScrambleKeys& keys);
  static Result<IdScramble> with_digits(int digits, const ScrambleKeys& keys);

  IdScramble(const IdScramble&) = default;
  IdScramble& operator=(const IdScramble&) = default;

  // The number of an id, 0 to id_max().
  Result<std::int64_t> scramble(std::int64_t id, std::string_view tweak = {}) const;
  // The id of a number. kInvalidArgument if no key has the number that it contains.
  Result<std::int64_t> unscramble(std::int64_t number, std::string_view tweak = {}) const;

  // The largest id of the domain. The cap of the tag must be at most this.
  std::int64_t id_max() const;

 private:
  struct FEATHERID_LOCAL Rep;
  static Result<IdScramble> make(std::uint32_t radix, int length, const ScrambleKeys& keys);
  explicit IdScramble(std::shared_ptr<const Rep> rep);

  std::shared_ptr<const Rep> rep_;
};

}  // namespace featherid

#endif  // FEATHERID_ID_SCRAMBLE_H_
