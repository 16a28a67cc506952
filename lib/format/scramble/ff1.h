// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_FORMAT_SCRAMBLE_FF1_H_
#define FEATHERID_LIB_FORMAT_SCRAMBLE_FF1_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "featherid/status.h"

struct evp_cipher_ctx_st;  // OpenSSL's EVP_CIPHER_CTX

namespace featherid {

// FF1 of NIST SP 800-38G for one key and for texts of one radix and length. A text is two numbers:
// its first half (length / 2 digits) and the rest.
//
// Threads: encrypt() and decrypt() may be called from any thread at once.
class Ff1 {
 public:
  struct Halves {
    std::uint64_t first;
    std::uint64_t rest;
  };

  // The key has 16, 24 or 32 bytes. radix^(length - length / 2) must be at most 2^63. kUnavailable
  // if OpenSSL has no AES, or no memory.
  static Result<std::unique_ptr<Ff1>> make(std::string_view key, std::uint32_t radix, int length);

  Ff1(const Ff1&) = delete;
  Ff1& operator=(const Ff1&) = delete;
  ~Ff1();

  Result<Halves> encrypt(Halves text, std::string_view tweak) const;
  Result<Halves> decrypt(Halves text, std::string_view tweak) const;

  std::uint64_t first_size() const { return first_size_; }
  std::uint64_t rest_size() const { return rest_size_; }

 private:
  using Block = std::array<std::uint8_t, 16>;
  class Rounds;
  class Context;

  Ff1(std::uint32_t radix, int length, evp_cipher_ctx_st* original);

  // A context serves one call at a time. Those that are not in use wait in idle_. No mutex, which a
  // child of fork() could inherit locked.
  evp_cipher_ctx_st* take() const;
  void give_back(evp_cipher_ctx_st* context) const;

  const std::uint32_t radix_;
  const int length_;
  const std::uint64_t first_size_;  // how many numbers the first half can be
  const std::uint64_t rest_size_;
  const int number_bytes_;  // of a half: b in the standard

  evp_cipher_ctx_st* const original_;  // has the key; is only copied
  mutable std::array<std::atomic<evp_cipher_ctx_st*>, 16> idle_{};
};

}  // namespace featherid

#endif  // FEATHERID_LIB_FORMAT_SCRAMBLE_FF1_H_
