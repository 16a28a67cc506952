// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_EXCEPTION_TEXT_H_
#define FEATHERID_LIB_BASE_EXCEPTION_TEXT_H_

#include <exception>

namespace featherid {

// The text of an exception. Never null, unlike what() of a foreign exception.
inline const char* text_of(const std::exception& exception) {
  const char* const what = exception.what();
  return what != nullptr ? what : "an exception without a text";
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_EXCEPTION_TEXT_H_
