// SPDX-License-Identifier: MIT
#include "lib/base/exception_text.h"

#include <stdexcept>
#include <string>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("every exception gets a text, even one without a text of its own", "[exception_text]") {
  struct Silent final : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  CHECK(std::string(text_of(std::runtime_error("down"))) == "down");
  CHECK(std::string(text_of(Silent())) == "an exception without a text");
}

}  // namespace featherid
