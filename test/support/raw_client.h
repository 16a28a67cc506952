// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_RAW_CLIENT_H_
#define FEATHERID_TEST_SUPPORT_RAW_CLIENT_H_

#include <chrono>
#include <optional>
#include <string>

namespace featherid::test {

// A plain TCP client, to say what no HTTP library would.
class RawClient {
 public:
  // `receive_bytes`: how much the kernel takes for the client before it reads; 0: as is.
  explicit RawClient(int port, int receive_bytes = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(const std::string& bytes) const;
  void end_sending() const;     // closes this half of the connection
  void reset_on_close() const;  // the object's end breaks the connection off, without a goodbye
  // What comes until the server closes, or until `bound` (then nothing).
  std::optional<std::string> read_to_end(
      std::chrono::milliseconds bound = std::chrono::seconds(20)) const;
  // What comes next; empty at the end, clean or not; nothing when none comes within `bound`.
  std::optional<std::string> read_some(
      std::chrono::milliseconds bound = std::chrono::seconds(20)) const;
  // What comes until `wanted` has come; nothing when it does not.
  std::optional<std::string> read_until(const std::string& wanted) const;

 private:
  int socket_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_RAW_CLIENT_H_
