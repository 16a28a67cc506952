// SPDX-License-Identifier: MIT
#include "server/net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

namespace featherid {

namespace {

// Only forward secrecy and authenticated encryption. All ciphers of TLS 1.3 have both.
constexpr const char* kCiphersOfTls12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

// By default OpenSSL would ask for the password on the terminal.
int no_password(char*, int, int, void*) { return -1; }

Status invalid(const char* setting, const std::string& file, const std::string& what) {
  return {StatusCode::kInvalidArgument, setting + (": " + file + ": ") + what};
}

// OpenSSL's own errors do not name the file, and differ between a missing file and a folder.
Status check_readable(const char* setting, const std::string& file) {
  errno = 0;
  if (std::ifstream(file).get() != std::ifstream::traits_type::eof()) return {};
  return invalid(setting, file, errno != 0 ? std::strerror(errno) : "is empty");
}

std::chrono::seconds end_of(const X509* certificate) {
  std::tm utc{};
  ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &utc);
  return std::chrono::seconds(::timegm(&utc));
}

}  // namespace

Result<TlsContext> load_tls_context(const std::string& cert_file, const std::string& key_file) {
  if (const Status bad = check_readable("--tls-cert", cert_file); !bad.ok()) return bad;
  if (const Status bad = check_readable("--tls-key", key_file); !bad.ok()) return bad;

  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context)
    return Status(StatusCode::kInvalidArgument, "--tls-cert: OpenSSL cannot be initialized");
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_default_passwd_cb(raw, no_password);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(raw, cert_file.c_str()) != 1) {
    return invalid("--tls-cert", cert_file, "contains no usable certificate in PEM");
  }
  const bool taken = SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  // OpenSSL accepts a key of another type than the certificate's, in case a certificate for it
  // follows.
  if (!taken || SSL_CTX_check_private_key(raw) != 1) {
    const bool other = taken ||
                       ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                       ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
    ERR_clear_error();
    return invalid("--tls-key", key_file,
                   other ? "is not the key of the certificate in " + cert_file
                         : "contains no private key in PEM, or the key has a password");
  }

  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(raw, kCiphersOfTls12);
  // Renegotiation would let a client make the server work at no cost to itself.
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION);
  // Sessions are resumed by tickets, which the clients keep. A cache here would only grow.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  // An idle connection keeps no buffers. A write may continue after its buffer has grown or moved.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One recv for everything that has arrived, instead of two for each record (header and rest).
  SSL_CTX_set_read_ahead(raw, 1);
  return context;
}

std::chrono::seconds certificate_end(const TlsContext& context) {
  if (!context) return std::chrono::seconds(0);
  std::chrono::seconds end = end_of(SSL_CTX_get0_certificate(context.get()));
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context.get(), &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) end = std::min(end, end_of(sk_X509_value(chain, i)));
  return end;
}

}  // namespace featherid
