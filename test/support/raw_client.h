// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SUPPORT_RAW_CLIENT_H_
#define FEATHERID_TEST_SUPPORT_RAW_CLIENT_H_

#include <chrono>
#include <optional>
#include <string>

namespace featherid::test {

// A plain TCP client that sends what no HTTP library would.
class RawClient {
 public:
  // `receive_bytes`: the size of the kernel's receive buffer; 0: the default.
  explicit RawClient(int port, int receive_bytes = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(const std::string& bytes) const;
  void end_sending() const;     // closes this half of the connection
  void reset_on_close() const;  // the destructor then resets the connection
  // All bytes until the server closes, or nothing if it has not closed within `bound`.
  std::optional<std::string> read_to_end(
      std::chrono::milliseconds bound = std::chrono::seconds(20)) const;
  // The next bytes. Empty at the end, clean or not. Nothing if none come within `bound`.
  std::optional<std::string> read_some(
      std::chrono::milliseconds bound = std::chrono::seconds(20)) const;
  // All bytes until `wanted` has come, or nothing if it does not.
  std::optional<std::string> read_until(const std::string& wanted) const;

 private:
  int socket_;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SUPPORT_RAW_CLIENT_H_
