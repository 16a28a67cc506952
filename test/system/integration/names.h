// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_INTEGRATION_NAMES_H_
#define FEATHERID_TEST_SYSTEM_INTEGRATION_NAMES_H_

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace featherid::test {

// The addresses of names that tests invent. This program replaces getaddrinfo(), also for the
// drivers, and it knows these names.
class Names {
 public:
  // A look-up of a name without addresses hangs until it has some.
  void set(const std::string& name, std::vector<std::string> addresses);
  bool knows(const std::string& name);
  std::vector<std::string> look_up(const std::string& name);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::string>> names_;
};

Names& names();

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_INTEGRATION_NAMES_H_
