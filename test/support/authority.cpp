// SPDX-License-Identifier: MIT
#include "test/support/authority.h"

#include <fstream>
#include <vector>

#include "test/support/child_process.h"

namespace featherid::test {

namespace {

void make_key_and(std::vector<std::string> command, const std::string& key_file) {
  command.insert(command.end(), {"-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                 "-keyout", key_file});
  run(command);
}

}  // namespace

Authority::Authority() {
  make_key_and({"openssl", "req", "-x509", "-days", "2", "-subj", "/CN=an authority", "-addext",
                "subjectAltName=IP:127.0.0.1", "-out", ca_file()},
               key_file());
  std::ofstream(scratch_.file("index")).flush();
  std::ofstream(scratch_.file("config"))
      << "[ca]\ndefault_ca = this\n[this]\nrand_serial = yes\ndefault_md = sha256\n"
      << "copy_extensions = copy\nunique_subject = no\npolicy = names\n"
      << "database = " << scratch_.file("index") << "\n"
      << "new_certs_dir = " << scratch_.path().string() << "\n"
      << "[names]\ncommonName = supplied\n";
}

Authority::Issued Authority::issue(const std::string& names, Term term) {
  const std::string name = std::to_string(++issued_);
  Issued issued{scratch_.file(name + ".crt"), scratch_.file(name + ".key")};
  const std::string request = scratch_.file(name + ".csr");
  make_key_and({"openssl", "req", "-new", "-subj", "/CN=" + name, "-addext",
                "subjectAltName=" + names, "-out", request},
               issued.key_file);
  run({"openssl", "ca", "-batch", "-notext", "-config", scratch_.file("config"), "-cert", ca_file(),
       "-keyfile", key_file(), "-startdate", "20200101000000Z", "-enddate",
       term == Term::kValid ? "20491231235959Z" : "20200201000000Z", "-in", request, "-out",
       issued.cert_file});
  return issued;
}

}  // namespace featherid::test
