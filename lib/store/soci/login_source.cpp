// SPDX-License-Identifier: MIT
#include "lib/store/soci/login_source.h"

#include <utility>
#include <vector>

#include "featherid/soci_store.h"
#include "lib/base/secret_file.h"
#include "lib/base/secret_file_risk.h"

namespace featherid {

LoginSource::LoginSource(const DatabaseUrl& url, std::string database_file, std::size_t index)
    : url_(url),
      database_file_(std::move(database_file)),
      index_(index),
      last_{url.user, url.password} {}

Result<LoginSource::Login> LoginSource::read() {
  if (!url_.options.password_file.empty()) {
    Result<std::string> password = read_secret_file(url_.options.password_file);
    if (!password.ok()) return password.status();
    return Login{url_.user, *std::move(password)};
  }
  if (!database_file_.empty()) return read_database_file();
  return Login{url_.user, url_.password};
}

Result<LoginSource::Login> LoginSource::read_database_file() {
  const Result<std::string> text = read_secret_file(database_file_, /*several_lines=*/true);
  if (!text.ok()) return text.status();
  const std::vector<std::string> urls = split_database_urls(*text);
  const MutexLock lock(mutex_);
  if (index_ >= urls.size()) return last_;
  const Result<DatabaseUrl> now = parse_database_url(urls[index_]);
  if (now.ok() && now->engine == url_.engine && now->place == url_.place) {
    last_ = {now->user, now->password};
  }
  return last_;
}

std::string LoginSource::risk() const {
  const std::string& file =
      url_.options.password_file.empty() ? database_file_ : url_.options.password_file;
  return file.empty() ? "" : secret_file_risk(file);
}

Result<std::vector<std::string>> read_database_file(const std::string& path) {
  const Result<std::string> text = read_secret_file(path, /*several_lines=*/true);
  if (!text.ok()) return Status(StatusCode::kInvalidArgument, text.status().message());
  return split_database_urls(*text);
}

}  // namespace featherid
