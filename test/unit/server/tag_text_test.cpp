// SPDX-License-Identifier: MIT
#include "server/api/tag_text.h"

#include "test/support/catch.h"

namespace featherid {

namespace {

const std::optional<ScrambleKeys> kNoKeys;

std::optional<ScrambleKeys> keys() {
  return *ScrambleKeys::parse("0:2b7e151628aed2a6abf7158809cf4f3c");
}

TagInfo tag_with(const std::string& format, const std::string& scramble) {
  TagInfo tag;
  tag.tag = "order";
  tag.format = format;
  tag.scramble = scramble;
  return tag;
}

}  // namespace

TEST_CASE("a tag without options has decimal texts", "[tag_text]") {
  const Result<TagText> text = TagText::make(tag_with("", ""), kNoKeys);
  REQUIRE(text.ok());
  CHECK(*text->write(42) == "42");
  CHECK(*text->read("42") == 42);
  CHECK(text->read("042").status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a scrambled tag has other texts, which map back", "[tag_text]") {
  for (const char* const domain : {"9digits", "40bits"}) {
    const Result<TagText> text =
        TagText::make(tag_with("A-{id width=13}-{check damm}", domain), keys());
    REQUIRE(text.ok());
    for (const std::int64_t id : {1, 2, 3, 1000000}) {
      const Result<std::string> written = text->write(id);
      REQUIRE(written.ok());
      CHECK(written->size() == 17);
      CHECK(written->find("A-00000000000" + std::to_string(id)) == std::string::npos);
      CHECK(*text->read(*written) == id);
    }
  }
  TagInfo other = tag_with("", "9digits");
  other.tag = "user";
  CHECK(*TagText::make(other, keys())->write(1) !=
        *TagText::make(tag_with("", "9digits"), keys())->write(1));
  const Result<TagText> digits = TagText::make(tag_with("", "9digits"), keys());
  CHECK(digits->write(999999999).ok());
  CHECK(digits->write(1000000000).status().code() == StatusCode::kInvalidArgument);
}

TEST_CASE("a scrambled tag requires keys, and says so", "[tag_text]") {
  const Status status = TagText::make(tag_with("", "9digits"), kNoKeys).status();
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(status.message().find("scramble-key-file") != std::string::npos);
}

}  // namespace featherid
