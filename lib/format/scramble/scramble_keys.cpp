// SPDX-License-Identifier: MIT
#include "lib/format/scramble/scramble_keys.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "lib/base/secret_file.h"

namespace featherid {

namespace {

constexpr std::size_t kKeysMax = 64;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Appends the bytes of an even number of hexadecimal digits; false if they are not that. `bytes`
// has room for them, because a string that grows would leave a copy of the key behind.
bool add_bytes(std::string_view digits, std::string* bytes) {
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_value(digits[i]);
    const int low = hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    *bytes += static_cast<char>(high << 4 | low);
  }
  return true;
}

// Adds the key that `word` describes. What is wrong with it, or empty.
std::string add_key(std::string_view word, std::vector<ScrambleKey>* keys) {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos) return "has no colon; write NUMBER:KEY";
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + colon, number);
  if (error != std::errc() || end != word.data() + colon || number < 0) {
    return "does not begin with a number of at least 0 and a colon; write NUMBER:KEY";
  }
  for (const auto& key : *keys) {
    if (key.number == number) {
      return "has the number " + std::to_string(number) + ", which an earlier key has already";
    }
  }
  const std::string_view digits = word.substr(colon + 1);
  if (digits.size() != 32 && digits.size() != 48 && digits.size() != 64) {
    return "has " + std::to_string(digits.size()) +
           " characters after the colon; a key is 32, 48 "
           "or 64 hexadecimal digits";
  }
  keys->push_back({number, ""});
  keys->back().bytes.reserve(digits.size() / 2);
  if (!add_bytes(digits, &keys->back().bytes)) {
    return "contains a character that is not a hexadecimal digit";
  }
  return "";
}

}  // namespace

ScrambleKeyList::~ScrambleKeyList() {
  for (ScrambleKey& key : all) OPENSSL_cleanse(key.bytes.data(), key.bytes.size());
}

ScrambleKeys::ScrambleKeys(std::shared_ptr<const ScrambleKeyList> keys) : keys_(std::move(keys)) {}

Result<ScrambleKeys> ScrambleKeys::parse(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto keys = std::make_shared<ScrambleKeyList>();
  keys->all.reserve(kKeysMax);  // a vector that grows would leave copies of short keys behind
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;
       at = text.find_first_not_of(kSpace, at)) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    const std::size_t number = keys->all.size() + 1;
    if (number > kKeysMax) {
      return Status(StatusCode::kFailedPrecondition,
                    "there are more than " + std::to_string(kKeysMax) + " scramble keys");
    }
    const std::string wrong = add_key(text.substr(at, end - at), &keys->all);
    if (!wrong.empty()) {
      return Status(StatusCode::kFailedPrecondition,
                    "scramble key " + std::to_string(number) + " in the list " + wrong);
    }
    at = end;
  }
  if (keys->all.empty()) {
    return Status(StatusCode::kFailedPrecondition,
                  "there is no scramble key; write NUMBER:KEY, such as 0: and 32 hexadecimal "
                  "digits");
  }
  return ScrambleKeys(keys);
}

Result<ScrambleKeys> ScrambleKeys::read_file(const std::string& path) {
  Result<std::string> text = read_secret_file(path, /*several_lines=*/true);
  if (!text.ok()) return text.status();
  Result<ScrambleKeys> keys = parse(*text);
  OPENSSL_cleanse(text->data(), text->size());
  if (keys.ok()) return keys;
  return Status(keys.status().code(), "the file " + path + ": " + keys.status().message());
}

Result<ScrambleKeys> ScrambleKeys::read_environment(const std::string& variable) {
  const char* const text = std::getenv(variable.c_str());
  if (text == nullptr) {
    return Status(StatusCode::kFailedPrecondition,
                  "the environment has no " + variable + "; set it to the scramble keys");
  }
  Result<ScrambleKeys> keys = parse(text);
  if (keys.ok()) return keys;
  return Status(keys.status().code(), "the variable " + variable + ": " + keys.status().message());
}

}  // namespace featherid
