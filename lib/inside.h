// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_INSIDE_H_
#define FEATHERID_LIB_INSIDE_H_

#include "lib/platform.h"

namespace featherid {

// While it lives, this thread is inside a call of somebody else's code for `object`; what that code
// calls back asks whether it is.
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

#endif  // FEATHERID_LIB_INSIDE_H_
