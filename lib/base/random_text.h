// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_RANDOM_TEXT_H_
#define FEATHERID_LIB_BASE_RANDOM_TEXT_H_

#include <string>

#include "featherid/internal/export.h"

namespace featherid {

// 32 hexadecimal digits that nobody can guess, from the kernel. Throws std::system_error if it has
// none.
FEATHERID_EXPORT std::string random_text();

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_RANDOM_TEXT_H_
