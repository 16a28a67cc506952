// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_CAMPAIGN_ENGINES_H_
#define FEATHERID_TEST_CAMPAIGN_ENGINES_H_

#include <memory>

#include "test/campaign/engine.h"

namespace featherid::campaign {

std::unique_ptr<Engine> make_sqlite_engine();  // several processes on one file

}  // namespace featherid::campaign

#endif  // FEATHERID_TEST_CAMPAIGN_ENGINES_H_
