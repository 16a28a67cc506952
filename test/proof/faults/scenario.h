// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_PROOF_FAULTS_SCENARIO_H_
#define FEATHERID_TEST_PROOF_FAULTS_SCENARIO_H_

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "test/proof/faults/fault_counter.h"
#include "test/support/catch.h"
#include "test/support/fault_store.h"

namespace featherid::test {

// What can fail in a scenario.
struct Fault {
  const char* name;
  FaultCounter* counter;
  // Makes the store fail when the counter strikes. Empty if it is no fault of the store.
  std::function<void(FaultStore&)> attach;
  bool may_stop_a_tag = false;  // by an answer that no correct store gives
};

// No memory, and every way in which a store can fail.
std::vector<Fault> memory_and_store_faults();

// One run of a scenario. The fault strikes at its nth call.
struct Strike {
  const Fault& fault;
  int nth;
  bool persistent;

  void arm() const { fault.counter->arm(nth, persistent); }
  void disarm() const { fault.counter->disarm(); }
  void disarm_persistent() const {
    if (persistent) disarm();
  }
};

// A store with the tags "order" and "user", step 10, and the fault attached.
std::shared_ptr<FaultStore> store_with(const Fault& fault);

// All ids that one run handed out.
class Ledger {
 public:
  Ledger() { got_.reserve(10000); }

  void note(const char* tag, IdRange range);

  // Ids handed out of a tag. REQUIREs that none came twice and none is above `max_id`.
  std::int64_t check(const std::string& tag, std::int64_t max_id);

 private:
  struct Got {
    const char* tag;
    IdRange range;
  };
  std::mutex mutex_;
  std::vector<Got> got_;
};

// A call of the API, which may throw only std::bad_alloc. False if it did.
template <typename Call>
bool attempt(Call call) {
  try {
    call();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Runs the scenario with the fault at call 1, 2, 3, … until it ends without reaching the fault. The
// first sweep uses a passing fault, the second a lasting one.
void fail_at_every_call(const char* scenario, const Fault& fault,
                        const std::function<void(const Strike&)>& run);

}  // namespace featherid::test

#endif  // FEATHERID_TEST_PROOF_FAULTS_SCENARIO_H_
