// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_TAG_ARGUMENTS_H_
#define FEATHERID_CLI_TAG_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "featherid/tag_admin.h"

namespace featherid {

// What the commands about tags are given. Each uses some of it.
struct TagArguments {
  std::string tag;
  std::string id;
  std::string count = "1";
  std::optional<std::string> step;
  std::optional<std::string> cap;
  std::optional<std::string> order;
  std::optional<std::string> format;
  std::optional<std::string> scramble;
  std::optional<std::string> description;
  std::optional<std::string> owner;
  std::optional<std::string> floor_rate;
  std::optional<std::string> floor_epoch;
  std::optional<std::string> floor_lead_max;
  std::optional<std::string> floor_only_warns;
  std::string period = "none";
  std::string period_offset = "0";
  std::string prefix;
  bool yes = false;
};
using Arguments = std::shared_ptr<TagArguments>;

// The options of a tag that `tag create` and `tag set` have.
void add_tag_options(CLI::App* command, const Arguments& given);

// These return kInvalidArgument if the text is not what the option needs.
Result<std::int64_t> read_id(const TagArguments& given);
Result<PeriodRule> read_period(const TagArguments& given);
Result<TagChange> read_change(const TagArguments& given);  // the options that were given

}  // namespace featherid

#endif  // FEATHERID_CLI_TAG_ARGUMENTS_H_
