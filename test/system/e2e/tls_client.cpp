// SPDX-License-Identifier: MIT
#include "test/system/e2e/tls_client.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/support/child_process.h"
#include "test/support/ports.h"

namespace featherid::test {

namespace {

std::string openssl_error() {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  return text;
}

// One read, again if the process was stopped meanwhile: a socket with a timeout then says EINTR.
bool read_some(SSL* tls, char* chunk, std::size_t size, std::size_t* got) {
  do {
    ERR_clear_error();
    errno = 0;
    if (SSL_read_ex(tls, chunk, size, got) == 1) return true;
  } while (errno == EINTR);
  return false;
}

}  // namespace

Certificate::Certificate(const ScratchDir& scratch, const std::string& name, Kind kind)
    : cert_file(scratch.file(name + ".crt")), key_file(scratch.file(name + ".key")) {
  std::vector<std::string> command = {"openssl", "req",
                                      "-x509",   "-nodes",
                                      "-days",   "2",
                                      "-subj",   "/CN=" + name,
                                      "-addext", "subjectAltName=IP:127.0.0.1",
                                      "-out",    cert_file,
                                      "-keyout", key_file,
                                      "-newkey", kind == Kind::kEc ? "ec" : "rsa:2048"};
  if (kind == Kind::kEc) command.insert(command.end(), {"-pkeyopt", "ec_paramgen_curve:P-256"});
  run(command);
}

TlsClient::TlsClient(int port, const Certificate& known, int version_max, const Session& resume)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      tls_((SSL_CTX_set_security_level(context_.get(), 0),  // it would otherwise not offer TLS 1.1
            SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION),
            SSL_CTX_set_max_proto_version(context_.get(), version_max),
            SSL_CTX_load_verify_file(context_.get(), known.cert_file.c_str()),
            SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr), SSL_new(context_.get())),
           SSL_free) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  socket_ = must_connect_to(port);
  const timeval bound{20, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
  SSL_set_fd(tls_.get(), socket_);
  if (resume) SSL_set_session(tls_.get(), resume.get());
  ERR_clear_error();
  if (SSL_connect(tls_.get()) != 1) {
    ::close(socket_);
    throw std::runtime_error("no handshake: " + openssl_error());
  }
}

TlsClient::~TlsClient() { ::close(socket_); }

void TlsClient::send(const std::string& bytes) const {
  std::size_t sent = 0;
  if (SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent) != 1) {
    throw std::runtime_error("cannot send: " + openssl_error());
  }
}

std::optional<std::string> TlsClient::read_to_end() const {
  std::string text;
  char chunk[16384];
  std::size_t size = 0;
  while (read_some(tls_.get(), chunk, sizeof chunk, &size)) text.append(chunk, size);
  if (SSL_get_error(tls_.get(), 0) != SSL_ERROR_ZERO_RETURN) return std::nullopt;
  return text;
}

std::optional<std::string> TlsClient::read_until(const std::string& wanted) const {
  std::string text;
  char chunk[16384];
  std::size_t size = 0;
  while (text.find(wanted) == std::string::npos) {
    if (!read_some(tls_.get(), chunk, sizeof chunk, &size)) return std::nullopt;
    text.append(chunk, size);
  }
  return text;
}

}  // namespace featherid::test
