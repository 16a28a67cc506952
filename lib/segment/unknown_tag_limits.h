// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_SEGMENT_UNKNOWN_TAG_LIMITS_H_
#define FEATHERID_LIB_SEGMENT_UNKNOWN_TAG_LIMITS_H_

namespace featherid {

// The limits of UnknownTags. The simulator compiles the core with its own file instead of this one.
struct UnknownTagLimits {
  int tags_max = 1024;                 // remembered at once
  int forgotten_per_second_max = 500;  // for new ones, each of which must be looked up
};

}  // namespace featherid

#endif  // FEATHERID_LIB_SEGMENT_UNKNOWN_TAG_LIMITS_H_
