// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_SYSTEM_E2E_TLS_CLIENT_H_
#define FEATHERID_TEST_SYSTEM_E2E_TLS_CLIENT_H_

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "test/support/scratch_dir.h"

namespace featherid::test {

// A self-signed certificate for 127.0.0.1, made by the openssl program.
struct Certificate {
  enum class Kind { kEc, kRsa };

  // `name` is its common name and the name of its files in `scratch`.
  Certificate(const ScratchDir& scratch, const std::string& name, Kind kind = Kind::kEc);

  std::string cert_file;
  std::string key_file;
};

// A TLS client that trusts one certificate. Its socket has a timeout of 20 s for each call.
class TlsClient {
 public:
  using Session = std::shared_ptr<SSL_SESSION>;

  // Throws if the handshake fails.
  TlsClient(int port, const Certificate& known, int version_max = TLS1_3_VERSION,
            const Session& resume = nullptr);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  void send(const std::string& bytes) const;  // throws on an error
  // All bytes until the server sends close_notify, or nothing if it ends otherwise.
  std::optional<std::string> read_to_end() const;
  // All bytes until `wanted` has come, or nothing if it does not.
  std::optional<std::string> read_until(const std::string& wanted) const;

  bool resumed() const { return SSL_session_reused(tls_.get()) == 1; }
  int version() const { return SSL_version(tls_.get()); }
  Session session() const { return {SSL_get1_session(tls_.get()), SSL_SESSION_free}; }

 private:
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
  int socket_ = -1;
};

}  // namespace featherid::test

#endif  // FEATHERID_TEST_SYSTEM_E2E_TLS_CLIENT_H_
