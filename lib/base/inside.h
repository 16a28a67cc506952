// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_INSIDE_H_
#define FEATHERID_LIB_BASE_INSIDE_H_

#include "lib/base/platform.h"

namespace featherid {

// While an Inside exists, its thread is calling foreign code on behalf of `object`. Code that is
// called back from there can check this with of().
class Inside {
 public:
  explicit Inside(const void* object) : object_(object), outer_(innermost()) { innermost() = this; }
  ~Inside() { innermost() = outer_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  static bool of(const void* object) {
    for (const Inside* each = innermost(); each != nullptr; each = each->outer_) {
      if (each->object_ == object) return true;
    }
    return false;
  }

 private:
  static const Inside*& innermost() { return platform::own_of_thread<const Inside*>(); }

  const void* const object_;
  const Inside* const outer_;
};

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_INSIDE_H_
