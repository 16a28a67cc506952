// SPDX-License-Identifier: MIT
#ifndef FEATHERID_STORE_CHECK_H_
#define FEATHERID_STORE_CHECK_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "featherid/internal/export.h"
#include "featherid/segment_store.h"

namespace featherid {

// Tests a store against the contract of segment_store.h. It leases from several threads and from
// two stores at once, and makes bad calls on purpose. It makes about 500 store calls.
//
// `open` opens the store. It is called twice, and both stores must lease from the same rows. `tag`
// names a row that nobody else uses meanwhile. Returns one sentence for each violation; none if the
// store passed.
FEATHERID_EXPORT std::vector<std::string> check_store(
    const std::function<std::shared_ptr<SegmentStore>()>& open, std::string_view tag);

}  // namespace featherid

#endif  // FEATHERID_STORE_CHECK_H_
