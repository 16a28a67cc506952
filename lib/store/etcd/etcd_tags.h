// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_ETCD_TAGS_H_
#define FEATHERID_LIB_STORE_ETCD_ETCD_TAGS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/store/etcd/etcd_rows.h"

namespace featherid {

// Reads and changes tags, as TagAdmin says. The arguments were checked before. Thread-safe.
class EtcdTags {
 public:
  explicit EtcdTags(EtcdRows& rows) : rows_(rows) {}

  Result<SegmentRow> find(std::string_view tag);
  Result<std::vector<TagInfo>> list(const TagQuery& query);
  Result<TagInfo> info(std::string_view tag);
  Status create(std::string_view tag, const NewTag& tag_to_make);
  Status update(std::string_view tag, const TagChange& change);
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by);
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by);
  Status remove(std::string_view tag, std::string_view by);

 private:
  // Changes one tag; `change_it(tag, record)` of the row, and of the record with the change's
  // number.
  template <typename Change>  // Status(StoredTag&, TagRecord&)
  Status change_tag(std::string_view tag, Change change_it);

  // For the row of a new tag, as NewTag says.
  Status make(StoredTag& tag, TagRecord& record, const NewTag& tag_to_make,
              const std::vector<Period>& others);
  Status set(StoredTag& tag, TagRecord& record, const TagChange& change);

  EtcdRows& rows_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_ETCD_TAGS_H_
