// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_STATUS_IN_WORDS_H_
#define FEATHERID_LIB_BASE_STATUS_IN_WORDS_H_

#include <new>

#include "featherid/status.h"

namespace featherid {

// An error with the text that `words()` makes, or with "out of memory" if there is none for it.
template <typename Words>
Status status_in_words(StatusCode code, Words words) noexcept {
  try {
    return {code, words()};
  } catch (const std::bad_alloc&) {
    return internal::out_of_memory(code);
  }
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_STATUS_IN_WORDS_H_
