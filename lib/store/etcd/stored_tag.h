// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_STORED_TAG_H_
#define FEATHERID_LIB_STORE_ETCD_STORED_TAG_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "featherid/tag_admin.h"
#include "lib/store/tag_record.h"

namespace featherid {

// The value of a tag's key: JSON with the row and what is recorded of the tag, such as
//   {"max_id":12000,"step":1000,"cap":99999,"change":3,…}
// docs/operating/etcd.md describes the members. What a later version adds stays as it is.
struct StoredTag {
  std::string tag;
  std::optional<SegmentRow> row;                   // none: the tag was removed
  std::optional<TagRecord> record;                 // none: no store has changed the tag yet
  nlohmann::json json = nlohmann::json::object();  // as it was read

  // The value with the row and the record as they are now.
  std::string text() const;
};

// kFailedPrecondition: it is no such value. `key`: what the message calls it.
Result<StoredTag> read_stored_tag(std::string_view tag, const std::string& value,
                                  const std::string& key);

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_STORED_TAG_H_
