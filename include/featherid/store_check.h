// SPDX-License-Identifier: MIT
#ifndef FEATHERID_STORE_CHECK_H_
#define FEATHERID_STORE_CHECK_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/export.h"
#include "featherid/segment_store.h"

namespace featherid {

// Checks that a store keeps the contract of segment_store.h. For tests: it leases, from several
// threads and from two stores at once, and makes bad calls on purpose.
//
// `open` opens the store; it is called twice, and both stores must lease from the same rows. `tag`
// names a row that nobody else uses meanwhile. Returns what is
// wrong, one sentence each; nothing: the store passed. Takes about 500 store calls.
FEATHERID_EXPORT std::vector<std::string> check_store(
    const std::function<std::shared_ptr<SegmentStore>()>& open, std::string_view tag);

}  // namespace featherid

#endif  // FEATHERID_STORE_CHECK_H_
