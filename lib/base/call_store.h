// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_CALL_STORE_H_
#define FEATHERID_LIB_BASE_CALL_STORE_H_

#include <exception>
#include <new>
#include <string>

#include "featherid/status.h"
#include "lib/base/exception_text.h"

namespace featherid {

// The result of call(), a call of a store. A store is foreign code: what it throws becomes the
// error of that one call, kUnavailable.
template <typename T, typename Call>
Result<T> call_store(Call call) noexcept {
  try {
    try {
      return call();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      return Status(StatusCode::kUnavailable, std::string("the store threw: ") + text_of(e));
    } catch (...) {
      return Status(StatusCode::kUnavailable,
                    "the store threw something that is not a std::exception");
    }
  } catch (const std::bad_alloc&) {  // in the store, or while the error text was made
    return internal::out_of_memory(StatusCode::kUnavailable);
  }
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_CALL_STORE_H_
