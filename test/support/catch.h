// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_CATCH_H_
#define FEATHERID_TEST_SUPPORT_CATCH_H_

// Catch2 version 2 or 3, and the differences between them.
#if __has_include(<catch2/catch.hpp>)
#include <catch2/catch.hpp>
#else
#include <catch2/catch_all.hpp>
#endif

#include <ostream>
#include <string>

#include "featherid/id_range.h"
#include "featherid/status.h"

namespace featherid {

#if CATCH_VERSION_MAJOR >= 3
using Catch::Approx;
#endif

// Matches a text that has `part` in it.
inline auto Contains(const std::string& part) {
#if CATCH_VERSION_MAJOR < 3
  return Catch::Matchers::Contains(part);
#else
  return Catch::Matchers::ContainsSubstring(part);
#endif
}

inline std::ostream& operator<<(std::ostream& out, const Status& status) {
  return out << status.to_string();
}
inline std::ostream& operator<<(std::ostream& out, StatusCode code) {
  return out << to_string(code);
}
inline std::ostream& operator<<(std::ostream& out, IdRange range) {
  return out << "[" << range.first << ", " << range.end << ")";
}

}  // namespace featherid

#endif  // FEATHERID_TEST_SUPPORT_CATCH_H_
