// SPDX-License-Identifier: MIT
#include "featherid/id_scramble.h"

#include <limits>
#include <utility>
#include <vector>

#include "lib/format/scramble/ff1.h"
#include "lib/format/scramble/scramble_keys.h"
#include "lib/format/scramble_domain.h"

namespace featherid {

struct IdScramble::Rep {
  struct Key {
    std::int64_t number;
    std::unique_ptr<const Ff1> ff1;
  };

  const Key* find(std::int64_t number) const {
    for (const Key& key : keys) {
      if (key.number == number) return &key;
    }
    return nullptr;
  }

  std::uint64_t size = 0;  // of the domain
  std::vector<Key> keys;   // the first scrambles
};

namespace {

Status invalid(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

Status check_tweak(std::string_view tweak) {
  if (tweak.size() <= IdScramble::kTweakBytesMax) return {};
  return invalid("a tweak has " + std::to_string(tweak.size()) + " bytes; at most " +
                 std::to_string(IdScramble::kTweakBytesMax) + " are allowed");
}

Ff1::Halves halves_of(std::uint64_t number, const Ff1& ff1) {
  return {number / ff1.rest_size(), number % ff1.rest_size()};
}

std::uint64_t number_of(Ff1::Halves halves, const Ff1& ff1) {
  return halves.first * ff1.rest_size() + halves.rest;
}

}  // namespace

Result<IdScramble> IdScramble::with_bits(int bits, const ScrambleKeys& keys) {
  if (!parse_scramble_domain(std::to_string(bits) + "bits").ok()) {
    return invalid("a scramble of " + std::to_string(bits) + " bits; use 20 to 63");
  }
  return make(2, bits, keys);
}

Result<IdScramble> IdScramble::with_digits(int digits, const ScrambleKeys& keys) {
  if (!parse_scramble_domain(std::to_string(digits) + "digits").ok()) {
    return invalid("a scramble of " + std::to_string(digits) + " digits; use 6 to 18");
  }
  return make(10, digits, keys);
}

Result<IdScramble> IdScramble::make(std::uint32_t radix, int length, const ScrambleKeys& keys) {
  constexpr std::uint64_t kNumbers = std::uint64_t{1} << 63;
  auto rep = std::make_shared<Rep>();
  for (const ScrambleKey& key : keys.keys_->all) {
    Result<std::unique_ptr<Ff1>> ff1 = Ff1::make(key.bytes, radix, length);
    if (!ff1.ok()) return ff1.status();
    rep->size = (*ff1)->first_size() * (*ff1)->rest_size();
    if (static_cast<std::uint64_t>(key.number) >= kNumbers / rep->size) {
      return invalid("the numbers of scramble key " + std::to_string(key.number) +
                     " would pass 2^63 - 1; use a smaller domain, or key numbers below " +
                     std::to_string(kNumbers / rep->size));
    }
    rep->keys.push_back({key.number, *std::move(ff1)});
  }
  return IdScramble(std::move(rep));
}

IdScramble::IdScramble(std::shared_ptr<const Rep> rep) : rep_(std::move(rep)) {}

Result<std::int64_t> IdScramble::scramble(std::int64_t id, std::string_view tweak) const {
  if (id < 0 || id > id_max()) {
    return invalid("the id " + std::to_string(id) + " is not in the domain of its scramble, 0 to " +
                   std::to_string(id_max()) + "; the cap of its tag must be at most that");
  }
  if (Status status = check_tweak(tweak); !status.ok()) return status;
  const Rep::Key& key = rep_->keys.front();
  const Result<Ff1::Halves> text =
      key.ff1->encrypt(halves_of(static_cast<std::uint64_t>(id), *key.ff1), tweak);
  if (!text.ok()) return text.status();
  const std::uint64_t base = static_cast<std::uint64_t>(key.number) * rep_->size;
  return static_cast<std::int64_t>(base + number_of(*text, *key.ff1));
}

Result<std::int64_t> IdScramble::unscramble(std::int64_t number, std::string_view tweak) const {
  if (number < 0) return invalid("the scrambled id " + std::to_string(number) + " is negative");
  if (Status status = check_tweak(tweak); !status.ok()) return status;
  const auto unsigned_number = static_cast<std::uint64_t>(number);
  const auto key_number = static_cast<std::int64_t>(unsigned_number / rep_->size);
  const Rep::Key* const key = rep_->find(key_number);
  if (key == nullptr) {
    return invalid("the scrambled id " + std::to_string(number) + " is of key " +
                   std::to_string(key_number) + ", which is not among the keys");
  }
  const Result<Ff1::Halves> text =
      key->ff1->decrypt(halves_of(unsigned_number % rep_->size, *key->ff1), tweak);
  if (!text.ok()) return text.status();
  return static_cast<std::int64_t>(number_of(*text, *key->ff1));
}

std::int64_t IdScramble::id_max() const { return static_cast<std::int64_t>(rep_->size - 1); }

}  // namespace featherid
