// SPDX-License-Identifier: MIT
#ifndef FEATHERID_CLI_EXIT_CODES_H_
#define FEATHERID_CLI_EXIT_CODES_H_

#include "featherid/status.h"

namespace featherid {

// The exit codes of `featherid`, by what to do next. kNoSuchTag and kExhausted are also the HTTP
// API's codes.
enum ExitCode {
  kDone = 0,
  kFailed = 1,     // fix what the message names
  kUsage = 2,      // fix the command line or the configuration
  kTryAgain = 3,   // the database cannot serve now
  kNoSuchTag = 4,  // create it
  kTagExists = 5,  // use it
  kNoIdsLeft = 6,  // use another tag
};

inline ExitCode exit_code_of(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return kDone;
    case StatusCode::kInvalidArgument:
      return kUsage;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
      return kTryAgain;
    case StatusCode::kNotFound:
      return kNoSuchTag;
    case StatusCode::kAlreadyExists:
      return kTagExists;
    case StatusCode::kExhausted:
      return kNoIdsLeft;
    case StatusCode::kDataLoss:
    case StatusCode::kFailedPrecondition:
      break;
  }
  return kFailed;
}

}  // namespace featherid

#endif  // FEATHERID_CLI_EXIT_CODES_H_
