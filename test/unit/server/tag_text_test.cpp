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
  CHECK(text->read("42")->id == 42);
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
      CHECK(text->read(*written)->id == id);
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

TEST_CASE("the date of a text is the id's period, which is read back", "[tag_text][period]") {
  TagInfo tag = tag_with("{year}{month}{day}-{id}", "");
  tag.period = {PeriodKind::kDay, 60};
  const Result<TagText> days = TagText::make(tag, kNoKeys);
  REQUIRE(days.ok());
  CHECK(*days->write(7, {2026, 11, 29}) == "20261129-7");
  CHECK(days->read("20261129-7")->period == Period{2026, 11, 29});
  CHECK(days->write(7, {}).status().code() == StatusCode::kFailedPrecondition);
  CHECK(days->write(7, {2026, 11, 0}).status().code() == StatusCode::kFailedPrecondition);
  tag.period = {PeriodKind::kMonth, 0};
  tag.format = "{year}-{month}/{id}";
  const Result<TagText> months = TagText::make(tag, kNoKeys);
  CHECK(*months->write(7, {2026, 11, 0}) == "2026-11/7");
  CHECK(months->read("2026-11/7")->period == Period{2026, 11, 0});
  tag.format = "{id}";  // does not show it
  CHECK(TagText::make(tag, kNoKeys)->read("7")->period == Period());
}

TEST_CASE("an id has another scrambled text in each period", "[tag_text][period]") {
  TagInfo tag = tag_with("{year}{month}{day}{id width=9}", "9digits");
  tag.period = {PeriodKind::kDay, 0};
  const Result<TagText> text = TagText::make(tag, keys());
  REQUIRE(text.ok());
  const std::string today = *text->write(1, {2026, 11, 29});
  const std::string tomorrow = *text->write(1, {2026, 11, 30});
  CHECK(today.substr(8) != tomorrow.substr(8));
  CHECK(text->read(today)->id == 1);
  CHECK(text->read(tomorrow)->id == 1);
  CHECK(text->read(tomorrow)->period == Period{2026, 11, 30});
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
  CHECK(text->read("20261130-864010")->id == 864010);
  CHECK(text->read("20261129-864010").status().message() ==
        "the date does not belong to id 864010 of tag 'order', whose date is 2026-11-30");
  CHECK(text->read("20261130-86401").status().code() == StatusCode::kInvalidArgument);
  tag.format = "{year}-{id}";
  CHECK(TagText::make(tag, kNoKeys)->read("2026-864010")->id == 864010);
  CHECK_FALSE(TagText::make(tag, kNoKeys)->read("2027-864010").ok());
  tag.format = "{year}{month}{day}-{id}";
  tag.floor.since_id = 100;
  CHECK(TagText::make(tag, kNoKeys)->write(100).status().code() == StatusCode::kInvalidArgument);
  CHECK(TagText::make(tag, kNoKeys)->write(101).ok());
  CHECK(TagText::make(tag, kNoKeys)->read("20250101-100")->id == 100);  // of an earlier floor
}

TEST_CASE("a scrambled tag requires keys, and says so", "[tag_text]") {
  const Status status = TagText::make(tag_with("", "9digits"), kNoKeys).status();
  CHECK(status.code() == StatusCode::kFailedPrecondition);
  CHECK(status.message().find("scramble-key-file") != std::string::npos);
}

}  // namespace featherid
