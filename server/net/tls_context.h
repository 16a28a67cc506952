// SPDX-License-Identifier: MIT
#ifndef FEATHERID_SERVER_NET_TLS_CONTEXT_H_
#define FEATHERID_SERVER_NET_TLS_CONTEXT_H_

#include <chrono>
#include <memory>
#include <string>

#include "featherid/status.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace featherid {

// A certificate with its key, for TLS 1.2 and 1.3. Constant, safe from any thread. A connection
// keeps the parts that it needs. Null: no TLS.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// Reads PEM files: the certificate with its chain after it, and its private key without a password.
// kInvalidArgument: a file cannot be read or contains something else, or the two do not belong
// together. The message is "--tls-cert: …" or "--tls-key: …".
Result<TlsContext> load_tls_context(const std::string& cert_file, const std::string& key_file);

// When clients stop accepting the certificate: the first end of it or of its chain, in Unix time. 0
// without TLS.
std::chrono::seconds certificate_end(const TlsContext& context);

}  // namespace featherid

#endif  // FEATHERID_SERVER_NET_TLS_CONTEXT_H_
