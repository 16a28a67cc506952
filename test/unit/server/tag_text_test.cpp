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

TEST_CASE("the date of a text is that of the id under the time floor", "[tag_text]") {
  TagInfo tag = tag_with("{year}{month}{day}-{id}", "");
  tag.floor.rate = 10;
  tag.floor.epoch_s = 1795910400;  // 2026-11-29
  const Result<TagText> text = TagText::make(tag, kNoKeys);
  REQUIRE(text.ok());
  CHECK(*text->write(10) == "20261129-10");
  CHECK(*text->write(10 * 86400 - 1) == "20261129-863999");
  CHECK(*text->write(10 * 86400 + 10) == "20261130-864010");
  CHECK(*text->read("20261130-864010") == 864010);
  tag.floor.since_id = 100;
  CHECK(TagText::make(tag, kNoKeys)->write(100).status().code() == StatusCode::kInvalidArgument);
  CHECK(TagText::make(tag, kNoKeys)->write(101).ok());
}

TEST_CASE("a scrambled tag requires keys, and says so", "[tag_text]") {
  const Status status = TagText::make(tag_with("", "9digits"), kNoKeys).status();
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(status.message().find("scramble-key-file") != std::string::npos);
}

}  // namespace featherid
