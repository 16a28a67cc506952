// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STORE_ETCD_KEY_CHANGE_H_
#define FEATHERID_LIB_STORE_ETCD_KEY_CHANGE_H_

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/store/etcd/etcd_rows.h"
#include "lib/store/store_arguments.h"

namespace featherid {

// What a plan decides: what to write of the view, and what is returned once it is written.
template <typename T>
struct PlannedChange {
  T result;
  EtcdRows::Writes writes = {{0}, {}};
};

// Changes keys by what they are: `plan(view)` changes the view and says what to write. It runs
// again on the keys as they are now if it has refused what this process remembered, or if another
// process was faster. kUnavailable: others were faster until the deadline. Else the errors of
// EtcdRows and of the plan.
template <typename T, typename Plan>  // Result<PlannedChange<T>>(KeyView&)
Result<T> change_keys(EtcdRows& rows, const std::vector<std::string>& names, EtcdRows::Needs needs,
                      Plan plan) {
  // Each lost race costs one round trip. The deadline comes first if there are many.
  constexpr int kTriesMax = 1000;
  const TimePoint deadline = rows.deadline();
  std::optional<KeyView> view = needs == EtcdRows::Needs::kHead ? std::nullopt : rows.recall(names);
  bool remembered = view.has_value();
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (!view) {
      Result<KeyView> read = rows.read(names, needs, deadline);
      if (!read.ok()) return read.status();
      view = *std::move(read);
    }
    Result<PlannedChange<T>> planned = plan(*view);
    if (!planned.ok() && remembered) {
      remembered = false;
      view.reset();
      continue;
    }
    if (!planned.ok()) return planned.status();
    if (planned->writes.tags.empty()) return std::move(planned->result);
    const Result<bool> written = rows.write(&*view, planned->writes, needs, deadline);
    if (!written.ok()) return written.status();
    if (*written) return std::move(planned->result);
    remembered = false;
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  return changed_meanwhile(names.front());
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STORE_ETCD_KEY_CHANGE_H_
