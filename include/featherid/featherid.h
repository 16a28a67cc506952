// SPDX-License-Identifier: MIT
#ifndef FEATHERID_FEATHERID_H_
#define FEATHERID_FEATHERID_H_

// Includes the parts of the core that most applications need. Each store has a header of its own,
// NAME_store.h.
#include "featherid/segment_allocator.h"
#include "featherid/segment_store.h"
#include "featherid/sequence.h"
#include "featherid/status.h"
#include "featherid/version.h"

#endif  // FEATHERID_FEATHERID_H_
