// SPDX-License-Identifier: MIT
#include "lib/format/scramble/ff1.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "test/support/catch.h"
#include "test/support/in_fork.h"

namespace featherid {

namespace {

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

std::string bytes(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::uint64_t number(std::string_view text, std::uint64_t radix) {
  std::uint64_t number = 0;
  for (const char c : text) number = number * radix + kDigits.find(c);
  return number;
}

std::string text(std::uint64_t number, std::size_t length, std::uint64_t radix) {
  std::string text(length, '0');
  for (; length > 0; --length, number /= radix) text[length - 1] = kDigits[number % radix];
  return text;
}

Ff1::Halves halves(const std::string& whole, std::uint64_t radix) {
  const std::size_t half = whole.size() / 2;
  return {number(whole.substr(0, half), radix), number(whole.substr(half), radix)};
}

std::string whole(Ff1::Halves halves, std::size_t length, std::uint64_t radix) {
  return text(halves.first, length / 2, radix) + text(halves.rest, length - length / 2, radix);
}

const std::string kKey128 = bytes("2B7E151628AED2A6ABF7158809CF4F3C");
const std::string kKey192 = bytes("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F");
const std::string kKey256 =
    bytes("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94");
const std::string kDecimalTweak = bytes("39383736353433323130");
const std::string kLongTweak = bytes("3737373770717273373737");

std::uint64_t encrypted(const Ff1& ff1, std::uint64_t number, std::string_view tweak = {}) {
  const Ff1::Halves halves =
      *ff1.encrypt({number / ff1.rest_size(), number % ff1.rest_size()}, tweak);
  return halves.first * ff1.rest_size() + halves.rest;
}

}  // namespace

TEST_CASE("FF1 yields the samples that NIST published", "[ff1]") {
  struct Sample {
    int number;
    std::string key;
    std::uint32_t radix;
    std::string tweak;
    std::string plain;
    std::string cipher;
  };
  const std::string decimal = "0123456789";
  const std::string letters = "0123456789abcdefghi";
  const Sample samples[] = {
      {1, kKey128, 10, "", decimal, "2433477484"},
      {2, kKey128, 10, kDecimalTweak, decimal, "6124200773"},
      {3, kKey128, 36, kLongTweak, letters, "a9tv40mll9kdu509eum"},
      {4, kKey192, 10, "", decimal, "2830668132"},
      {5, kKey192, 10, kDecimalTweak, decimal, "2496655549"},
      {6, kKey192, 36, kLongTweak, letters, "xbj3kv35jrawxv32ysr"},
      {7, kKey256, 10, "", decimal, "6657667009"},
      {8, kKey256, 10, kDecimalTweak, decimal, "1001623463"},
      {9, kKey256, 36, kLongTweak, letters, "xs8a0azh2avyalyzuwd"},
  };
  for (const Sample& sample : samples) {
    const auto length = sample.plain.size();
    const auto ff1 = *Ff1::make(sample.key, sample.radix, static_cast<int>(length));
    INFO("sample " << sample.number);
    CHECK(whole(*ff1->encrypt(halves(sample.plain, sample.radix), sample.tweak), length,
                sample.radix) == sample.cipher);
    CHECK(whole(*ff1->decrypt(halves(sample.cipher, sample.radix), sample.tweak), length,
                sample.radix) == sample.plain);
  }
}

TEST_CASE("FF1 maps back in every length and with every tweak", "[ff1]") {
  for (const std::uint32_t radix : {2U, 10U}) {
    for (int length = radix == 2 ? 20 : 6; length <= (radix == 2 ? 63 : 18); ++length) {
      const auto ff1 = *Ff1::make(kKey128, radix, length);
      // Both sides of one block: with 4 bytes of a half, 11 bytes of tweak fit.
      for (const std::size_t size : {0U, 1U, 10U, 11U, 12U, 13U, 16U, 27U, 28U, 64U}) {
        const std::string tweak(size, 't');
        const Ff1::Halves plain = {ff1->first_size() - 1, ff1->rest_size() / 3};
        const Ff1::Halves cipher = *ff1->encrypt(plain, tweak);
        REQUIRE(cipher.first < ff1->first_size());
        REQUIRE(cipher.rest < ff1->rest_size());
        const Ff1::Halves again = *ff1->decrypt(cipher, tweak);
        REQUIRE(again.first == plain.first);
        REQUIRE(again.rest == plain.rest);
      }
    }
  }
}

TEST_CASE("every byte of a tweak counts, and so does its length", "[ff1]") {
  const auto ff1 = *Ff1::make(kKey128, 10, 18);
  const std::string tweak(40, '\0');
  const std::uint64_t without = encrypted(*ff1, 1);
  const std::uint64_t with = encrypted(*ff1, 1, tweak);
  CHECK(with != without);
  CHECK(encrypted(*ff1, 1, tweak + '\0') != with);
  for (std::size_t i = 0; i < tweak.size(); ++i) {
    std::string other = tweak;
    other[i] = 1;
    CHECK(encrypted(*ff1, 1, other) != with);
  }
}

TEST_CASE("threads share one FF1", "[ff1]") {
  const auto ff1 = *Ff1::make(kKey128, 2, 40);
  std::vector<std::uint64_t> expected;
  for (std::uint64_t id = 0; id < 100; ++id) expected.push_back(encrypted(*ff1, id));
  // More than the contexts that it keeps.
  std::vector<std::vector<std::uint64_t>> got(20);
  std::vector<std::thread> threads;
  for (auto& each : got) {
    threads.emplace_back([&] {
      for (std::uint64_t id = 0; id < 100; ++id) each.push_back(encrypted(*ff1, id));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& each : got) CHECK(each == expected);
}

// ThreadSanitizer's own runtime is not safe to fork while other threads run.
#if !defined(__SANITIZE_THREAD__)
TEST_CASE("a child that was made while threads compute can go on", "[ff1]") {
  const auto ff1 = *Ff1::make(kKey128, 2, 40);
  const std::uint64_t expected = encrypted(*ff1, 1);
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 4; ++i) {
    busy.emplace_back([&] {
      while (!stop) static_cast<void>(encrypted(*ff1, 2));
    });
  }
  int failures = 0;
  for (int i = 0; i < 200 && failures == 0; ++i) {
    failures += test::failures_in_fork(
        [&] {
          std::signal(SIGALRM, [](int) { ::_exit(2); });
          ::alarm(60);  // instead of waiting for ever
          return encrypted(*ff1, 1) == expected ? 0 : 1;
        },
        ::fork);
  }
  stop = true;
  for (std::thread& thread : busy) thread.join();
  CHECK(failures == 0);
}
#endif

}  // namespace featherid
