// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_SIM_SMALL_LIMITS_LIB_SEGMENT_UNKNOWN_TAG_LIMITS_H_
#define FEATHERID_TEST_PROOF_SIM_SMALL_LIMITS_LIB_SEGMENT_UNKNOWN_TAG_LIMITS_H_

namespace featherid {

// Replaces lib/segment/unknown_tag_limits.h: so few that a simulated process reaches the limit.
struct UnknownTagLimits {
  int tags_max = 16;
  int forgotten_per_second_max = 500;
};

}  // namespace featherid

#endif  // FEATHERID_TEST_PROOF_SIM_SMALL_LIMITS_LIB_SEGMENT_UNKNOWN_TAG_LIMITS_H_
