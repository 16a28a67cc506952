// SPDX-License-Identifier: MIT
#include "server/store/wait_for_database.h"

#include <string>
#include <vector>

#include "test/support/catch.h"

namespace featherid {

namespace {

struct Waited {
  Status status;
  std::size_t asked = 0;
  std::vector<std::string> said;
};

// Gives one answer after the other, and then the last one again.
Waited wait_for(const std::vector<Status>& answers, std::chrono::milliseconds wait) {
  Waited waited;
  const auto ask = [&] {
    const std::size_t i = waited.asked++;
    return answers[i < answers.size() ? i : answers.size() - 1];
  };
  waited.status =
      wait_for_database(ask, wait, [&](const std::string& text) { waited.said.push_back(text); });
  return waited;
}

const Status kDown(StatusCode::kUnavailable, "down");
const Status kNoTable(StatusCode::kFailedPrecondition, "no table");

}  // namespace

TEST_CASE("it waits until the database serves, and says why", "[wait_for_database]") {
  const Waited waited = wait_for({kDown, kDown, kNoTable, Status()}, std::chrono::minutes(1));
  CHECK(waited.status.ok());
  CHECK(waited.asked == 4);
  CHECK(waited.said == std::vector<std::string>{"waiting for the database: down",
                                                "waiting for the database: no table"});
}

TEST_CASE("without a time to wait it asks once", "[wait_for_database]") {
  const Waited waited = wait_for({kDown, Status()}, std::chrono::milliseconds(0));
  CHECK(waited.status.code() == StatusCode::kUnavailable);
  CHECK(waited.asked == 1);
  CHECK(waited.said.empty());
}

TEST_CASE("it gives up in time, and at once if waiting cannot help", "[wait_for_database]") {
  CHECK(wait_for({kDown}, std::chrono::milliseconds(600)).status.message() == "down");
  for (const StatusCode code : {StatusCode::kInvalidArgument, StatusCode::kDataLoss}) {
    CHECK(wait_for({Status(code, "")}, std::chrono::minutes(1)).asked == 1);
  }
}

}  // namespace featherid
