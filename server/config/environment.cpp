// SPDX-License-Identifier: MIT
#include "server/config/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <regex>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/stores.h"

namespace featherid {

namespace {

// In capital letters, with '_' in place of everything else that is not a digit, and one '_' at each
// end.
std::string normalized(const std::string& name) {
  std::string words = "_" + name + "_";
  for (char& c : words) {
    const auto byte = static_cast<unsigned char>(c);
    c = std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return words;
}

// The smallest number of typos that turns `word` into some part of `text`. A typo is a letter that
// is added, missing or wrong, or two neighbours that are swapped.
int typos(std::string_view word, std::string_view text) {
  std::vector<int> before_last;
  std::vector<int> last(text.size() + 1, 0);  // a part may begin anywhere
  for (std::size_t i = 1; i <= word.size(); ++i) {
    std::vector<int> now = {static_cast<int>(i)};
    for (std::size_t j = 1; j <= text.size(); ++j) {
      const bool same = word[i - 1] == text[j - 1];
      now.push_back(std::min({last[j - 1] + (same ? 0 : 1), last[j] + 1, now[j - 1] + 1}));
      const bool swapped =
          i > 1 && j > 1 && word[i - 2] == text[j - 1] && word[i - 1] == text[j - 2];
      if (swapped) now[j] = std::min(now[j], before_last[j - 2] + 1);
    }
    before_last = std::exchange(last, std::move(now));
  }
  return *std::min_element(last.begin(), last.end());  // and may end anywhere
}

bool contains_any(const std::string& text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&text](const char* part) { return text.find(part) != std::string::npos; });
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_docker_link(const Environment& environment, const std::string& link) {
  const auto name = environment.find(link + "_NAME");  // such as /app/ids
  return name != environment.end() && name->second.rfind('/', 0) == 0 &&
         name->second.rfind('/') > 0;
}

}  // namespace

Environment environment_variables() {
  Environment variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

const char* meant_setting(const std::string& name, const std::string& text) {
  const std::string words = normalized(name);
  std::string letters = words;
  letters.erase(std::remove(letters.begin(), letters.end(), '_'), letters.end());
  if (typos("FEATHERID", letters) > 1) return nullptr;
  // "DB" counts only if it begins or ends a word. Inside a word it may mean anything, as in
  // FEEDBACK.
  if (typos("DATABASE", letters) <= 2 || contains_any(words, {"_DB", "DB_", "DSN"}) ||
      mentions_kind(words) || resembles_address(text)) {
    const bool names_file = typos("FILE", letters) <= 1 && !resembles_address(text);
    return names_file ? "FEATHERID_DATABASE_FILE" : "FEATHERID_DATABASE";
  }
  if (typos("CONFIG", letters) <= 1 || ends_with(text, ".toml") ||
      contains_any(words, {"_CONF", "_CFG", "TOML"})) {
    return "FEATHERID_CONFIG";
  }
  return nullptr;
}

bool is_service_link(const std::string& name, const Environment& environment) {
  static const std::regex kOfLink(
      ".+_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");
  if (std::regex_match(name, kOfLink)) return true;
  if (ends_with(name, "_PORT")) {  // a variable that somebody set would be a number
    return environment.at(name).find("://") != std::string::npos;
  }
  if (ends_with(name, "_NAME")) return is_docker_link(environment, name.substr(0, name.size() - 5));
  const std::size_t of_image = name.find("_ENV_");
  return of_image != std::string::npos && is_docker_link(environment, name.substr(0, of_image));
}

}  // namespace featherid
