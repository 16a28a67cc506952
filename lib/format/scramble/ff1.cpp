// SPDX-License-Identifier: MIT
#include "lib/format/scramble/ff1.h"

#include <openssl/evp.h>

#include <algorithm>
#include <limits>

#include "lib/base/invariant.h"

namespace featherid {

namespace {

constexpr int kRounds = 10;

std::uint64_t power_of(std::uint64_t radix, int exponent) {
  std::uint64_t power = 1;
  for (; exponent > 0; --exponent) {
    FEATHERID_INVARIANT(power <= (std::uint64_t{1} << 63) / radix, power, radix);
    power *= radix;
  }
  return power;
}

// The bytes that every number below `size` fits into.
int bytes_for(std::uint64_t size) {
  int bytes = 1;
  for (std::uint64_t most = size - 1; most > 0xFF; most >>= 8) ++bytes;
  return bytes;
}

const EVP_CIPHER* aes_for(std::size_t key_bytes) {
  FEATHERID_INVARIANT(key_bytes == 16 || key_bytes == 24 || key_bytes == 32, key_bytes, 0);
  return key_bytes == 16   ? EVP_aes_128_ecb()
         : key_bytes == 24 ? EVP_aes_192_ecb()
                           : EVP_aes_256_ecb();
}

Status no_cipher() {
  return Status(StatusCode::kUnavailable,
                "OpenSSL could not encrypt a block; this process lacks memory, or its OpenSSL has "
                "no AES");
}

}  // namespace

// A context for one call.
class Ff1::Context {
 public:
  explicit Context(const Ff1& ff1) : ff1_(ff1), context_(ff1.take()) {}
  ~Context() {
    if (context_ != nullptr) ff1_.give_back(context_);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  EVP_CIPHER_CTX* get() const { return context_; }

 private:
  const Ff1& ff1_;
  EVP_CIPHER_CTX* const context_;
};

// The rounds of one call. Their function is the CBC-MAC of P || Q in the standard. Only the last
// block of Q differs from round to round, so what is before it is encrypted once.
class Ff1::Rounds {
 public:
  Rounds(const Ff1& ff1, EVP_CIPHER_CTX* context, std::string_view tweak)
      : ff1_(ff1), context_(context), ok_(context != nullptr) {
    Block p = {1, 2, 1};
    put(ff1.radix_, 3, &p[6]);
    p[6] = kRounds;
    p[7] = static_cast<std::uint8_t>(ff1.length_ / 2);
    put(static_cast<std::uint64_t>(ff1.length_), 4, &p[12]);
    put(tweak.size(), 4, p.data() + p.size());
    chain_ = p;
    encrypt(&chain_);
    add_tweak(tweak);
  }

  bool ok() const { return ok_; }

  // y in the standard, modulo `size`.
  std::uint64_t round(int i, std::uint64_t half, std::uint64_t size) {
    Block block = chain_;
    const auto at = static_cast<std::size_t>(15 - ff1_.number_bytes_);
    block[at] ^= static_cast<std::uint8_t>(i);
    for (std::size_t byte = 15; byte > at; --byte, half >>= 8) {
      block[byte] ^= static_cast<std::uint8_t>(half);
    }
    encrypt(&block);
    return remainder(block, size);
  }

 private:
  // Writes the last `bytes` bytes of a number, the last one before `end`.
  static void put(std::uint64_t number, int bytes, std::uint8_t* end) {
    for (; bytes > 0; --bytes, number >>= 8) *--end = static_cast<std::uint8_t>(number);
  }

  void add_tweak(std::string_view tweak);
  void encrypt(Block* block);
  std::uint64_t remainder(const Block& block, std::uint64_t size) const;

  const Ff1& ff1_;
  EVP_CIPHER_CTX* const context_;
  bool ok_;
  Block chain_;  // what the last block of Q is added to, the end of the tweak included
};

// Q is the tweak, zeros, the number of the round, and the half, in whole blocks.
void Ff1::Rounds::add_tweak(std::string_view tweak) {
  const std::size_t tail = static_cast<std::size_t>(ff1_.number_bytes_) + 1;
  const std::size_t blocks = (tweak.size() + tail + 15) / 16;
  for (std::size_t block = 0; block < blocks; ++block) {
    if (block > 0) encrypt(&chain_);
    const std::string_view part = tweak.substr(std::min(tweak.size(), block * 16), 16);
    for (std::size_t i = 0; i < part.size(); ++i) chain_[i] ^= static_cast<std::uint8_t>(part[i]);
  }
}

void Ff1::Rounds::encrypt(Block* block) {
  int written = 0;
  ok_ = ok_ && EVP_EncryptUpdate(context_, block->data(), &written, block->data(), 16) == 1 &&
        written == 16;
}

std::uint64_t Ff1::Rounds::remainder(const Block& block, std::uint64_t size) const {
  // d = 4 * ceil(b / 4) + 4 in the standard. Halves have at most 8 bytes, so d is 8 or 12.
  const int bytes = ff1_.number_bytes_ <= 4 ? 8 : 12;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (int i = 0; i < bytes; ++i) {
    high = high << 8 | low >> 56;
    low = low << 8 | block[static_cast<std::size_t>(i)];
  }
  if (high == 0) return low % size;
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(high) << 64 | low) % size);
}

Ff1::Ff1(std::uint32_t radix, int length, EVP_CIPHER_CTX* original)
    : radix_(radix),
      length_(length),
      first_size_(power_of(radix, length / 2)),
      rest_size_(power_of(radix, length - length / 2)),
      number_bytes_(bytes_for(rest_size_)),
      original_(original) {}

Result<std::unique_ptr<Ff1>> Ff1::make(std::string_view key, std::uint32_t radix, int length) {
  std::unique_ptr<Ff1> ff1(new Ff1(radix, length, EVP_CIPHER_CTX_new()));
  EVP_CIPHER_CTX* const original = ff1->original_;
  if (original == nullptr ||
      EVP_EncryptInit_ex(original, aes_for(key.size()), nullptr,
                         reinterpret_cast<const unsigned char*>(key.data()), nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(original, 0) != 1) {
    return no_cipher();
  }
  return ff1;
}

Ff1::~Ff1() {
  EVP_CIPHER_CTX_free(original_);
  for (const auto& slot : idle_) EVP_CIPHER_CTX_free(slot);
}

EVP_CIPHER_CTX* Ff1::take() const {
  for (auto& slot : idle_) {
    // acquire: what the call that gave it back did with it. Pairs with give_back().
    EVP_CIPHER_CTX* const context = slot.exchange(nullptr, std::memory_order_acquire);
    if (context != nullptr) return context;
  }
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  if (context == nullptr || EVP_CIPHER_CTX_copy(context, original_) == 1) return context;
  EVP_CIPHER_CTX_free(context);
  return nullptr;
}

void Ff1::give_back(EVP_CIPHER_CTX* context) const {
  for (auto& slot : idle_) {
    EVP_CIPHER_CTX* none = nullptr;
    // release: pairs with take(). relaxed: a context that is there is not read.
    if (slot.compare_exchange_strong(none, context, std::memory_order_release,
                                     std::memory_order_relaxed)) {
      return;
    }
  }
  EVP_CIPHER_CTX_free(context);
}

Result<Ff1::Halves> Ff1::encrypt(Halves text, std::string_view tweak) const {
  const Context context(*this);
  Rounds rounds(*this, context.get(), tweak);
  for (int i = 0; i < kRounds; ++i) {
    const std::uint64_t size = i % 2 == 0 ? first_size_ : rest_size_;
    const std::uint64_t sum = text.first + rounds.round(i, text.rest, size);
    text = {text.rest, sum < size ? sum : sum - size};
  }
  if (!rounds.ok()) return no_cipher();
  return text;
}

Result<Ff1::Halves> Ff1::decrypt(Halves text, std::string_view tweak) const {
  const Context context(*this);
  Rounds rounds(*this, context.get(), tweak);
  for (int i = kRounds - 1; i >= 0; --i) {
    const std::uint64_t size = i % 2 == 0 ? first_size_ : rest_size_;
    const std::uint64_t y = rounds.round(i, text.first, size);
    text = {text.rest >= y ? text.rest - y : text.rest + size - y, text.first};
  }
  if (!rounds.ok()) return no_cipher();
  return text;
}

}  // namespace featherid
